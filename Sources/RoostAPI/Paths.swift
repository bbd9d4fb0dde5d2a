/// The server's HTTP surface: one constant per path; `RoostServer/Routes.swift` maps them to handlers.
package enum Path {
    package static let health = "/healthz"
    package static let ready = "/readyz"
    package static let metrics = "/metrics"
    /// What the server speaks and how much it takes; needs no token.
    package static let limits = "/v1/limits"
    /// The declared catalogue.
    package static let schema = "/v1/schema"
    /// Trades a one-time code for a device token.
    package static let enrol = "/v1/enrol"
    package static let sync = "/v1/sync"
    /// A stream that tells a device when something of its own moved.
    package static let events = "/v1/events"
    /// Files with everything a large scope shows.
    package static let snapshots = "/v1/snapshots"
    package static let devices = "/v1/devices"
    package static let imports = "/v1/imports"
    package static let digests = "/v1/digests"
    package static let endpoints = "/v1/endpoints"
    package static let endpointNotices = "/v1/endpoint-notices"
    package static let deliveries = "/v1/deliveries"
    /// Who was told what.
    package static let tellings = "/v1/tellings"
    /// Digests that are proposed again and again.
    package static let schedules = "/v1/schedules"
    /// Stops letters to one mailbox; needs no token but that of the link itself.
    package static let unsubscribe = "/v1/unsubscribe"
    package static let enrolmentCodes = "/v1/enrolment-codes"
}

/// Header fields of our own.
package enum HeaderName {
    package static let requestID = "x-request-id"
    package static let proxyBuffering = "x-accel-buffering"
    /// The file name of an uploaded sheet, percent-encoded.
    package static let sheetName = "x-sheet-name"
}
