package import Curl

internal import struct Foundation.Date

/// What carries a request out: libcurl in the product.
package protocol HTTPTransport: Sendable {
    func send(_ request: HTTPRequest) async throws(CurlError) -> HTTPResponse
    func send(_ letter: MailRequest) async throws(CurlError) -> MailReply
}

extension HTTPTransport {
    /// What a transport does with letters that speaks HTTP only.
    package func send(_ letter: MailRequest) async throws(CurlError) -> MailReply {
        throw CurlError(.unsupportedProtocol)
    }
}

extension HTTPClient: HTTPTransport {}

/// The sender's time, so that tests need not wait for it.
package protocol SenderClock: Sendable {
    func now() -> Moment
    /// Returns after the duration, or throws when the task is cancelled.
    func sleep(for duration: Duration) async throws
}

/// The system's clock.
package struct SystemSenderClock: SenderClock {
    package init() {}

    package func now() -> Moment { Moment(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }

    package func sleep(for duration: Duration) async throws { try await Task.sleep(for: duration) }
}

/// What a sender tells whoever writes the log and counts.
package enum SenderEvent: Sendable {
    /// An attempt ended; its result is about to be stored.
    case attempted(AttemptResult)
    /// Due deliveries could not be read; tried again at the next tick.
    case leaseFailed(any Error)
    /// Results could not be stored; nothing more is sent until they are.
    case recordFailed(any Error, results: Int)
}
