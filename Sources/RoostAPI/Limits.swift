/// What the server takes, advertised at `/v1/limits` so that clients keep within it.
package struct Limits: Codable, Hashable, Sendable {
    /// Bytes of a request body.
    package var bodyBytes: Int
    /// Mutations of one changeset.
    package var mutations: Int
    /// Seconds until a request is given up.
    package var timeoutSeconds: Int
    /// Requests per minute of one device.
    package var requestsPerMinutePerDevice: Int
    /// Requests per minute of one network address without a token (enrolment, limits, schema).
    package var requestsPerMinutePerAddress: Int
    /// Bytes of rows in one answer.
    package var pageBytes: Int

    enum CodingKeys: String, CodingKey {
        case bodyBytes = "body_bytes"
        case mutations
        case timeoutSeconds = "timeout_seconds"
        case requestsPerMinutePerDevice = "requests_per_minute_per_device"
        case requestsPerMinutePerAddress = "requests_per_minute_per_address"
        case pageBytes = "page_bytes"
    }

    package init(
        bodyBytes: Int = 8 * 1024 * 1024, mutations: Int = 5000, timeoutSeconds: Int = 30,
        requestsPerMinutePerDevice: Int = 600, requestsPerMinutePerAddress: Int = 60, pageBytes: Int = 1024 * 1024
    ) {
        self.bodyBytes = bodyBytes
        self.mutations = mutations
        self.timeoutSeconds = timeoutSeconds
        self.requestsPerMinutePerDevice = requestsPerMinutePerDevice
        self.requestsPerMinutePerAddress = requestsPerMinutePerAddress
        self.pageBytes = pageBytes
    }
}
