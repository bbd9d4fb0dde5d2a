/// Why a request as a whole was refused.
///
/// The raw value is the stable code; the list is closed.
///
/// Sent as `{"error":{"code":…,"message":…,"request_id":…}}` with the status of ``status``.
package enum APIErrorCode: String, Codable, Hashable, Sendable, CaseIterable {
    case malformedRequest = "malformed_request"
    case unsupportedVersion = "unsupported_version"
    case unauthorized
    case deviceRevoked = "device_revoked"
    case forbidden
    case notFound = "not_found"
    case codeInvalid = "code_invalid"
    case conflict
    case bodyTooLarge = "body_too_large"
    case tooManyMutations = "too_many_mutations"
    case unsupportedSheet = "unsupported_sheet"
    case unusableSheet = "unusable_sheet"
    case invalidDigest = "invalid_digest"
    case invalidEndpoint = "invalid_endpoint"
    case rateLimited = "rate_limited"
    case timeout
    case unavailable
    case internalError = "internal"

    /// The HTTP status that carries the code.
    package var status: Int {
        switch self {
        case .malformedRequest, .unsupportedVersion, .unusableSheet, .invalidDigest, .invalidEndpoint: 400
        case .unauthorized, .codeInvalid: 401
        case .deviceRevoked, .forbidden: 403
        case .notFound: 404
        case .timeout: 408
        case .conflict: 409
        case .bodyTooLarge, .tooManyMutations: 413
        case .unsupportedSheet: 415
        case .rateLimited: 429
        case .internalError: 500
        case .unavailable: 503
        }
    }
}

/// Two copies of one device's database are in use.
package enum ReplicaCopied {
    /// The finer code under `conflict`.
    package static let reason = "replica_copied"
}

package struct ErrorBody: Codable, Hashable, Sendable {
    package struct Detail: Codable, Hashable, Sendable {
        package var code: String
        /// English; a client shows its own words for the code and this only for codes it does not know.
        package var message: String
        /// The same in Chinese, where the server knows better words than a client has for the code.
        package var messageZH: String?
        /// A finer stable code, such as `sheet_no_header` under `unusable_sheet`.
        package var reason: String?
        package var requestID: String?

        enum CodingKeys: String, CodingKey {
            case code, message, reason
            case messageZH = "message_zh"
            case requestID = "request_id"
        }

        package init(
            code: String, message: String, messageZH: String? = nil, reason: String? = nil, requestID: String?
        ) {
            self.code = code
            self.message = message
            self.messageZH = messageZH
            self.reason = reason
            self.requestID = requestID
        }
    }

    package var error: Detail

    package init(error: Detail) { self.error = error }
}
