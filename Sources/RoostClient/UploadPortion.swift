package import RoostStore
import Curl
package import RoostSync

/// How much a run sends at once, where the line or somebody on the way does not take what the server would.
///
/// A server gives a request up that takes too long to arrive, so on a slow line the same bytes sent again would never
/// arrive. Each time a request is given up, the next one carries half of what it did.
package struct UploadPortion {
    /// Bytes that are not divided further: a line that does not take these within the server's patience carries nothing.
    package static let smallest = 16 << 10

    /// Nil while nothing was given up.
    package private(set) var limits: ChangesetLimits?

    package init() {}

    /// Halves what is sent at once after a request was given up; false if that cannot help.
    package mutating func shrink(after request: ExchangeRequest, because error: ClientError) -> Bool {
        let bytes = request.json.count
        guard Self.isMeant(by: error), Self.divides(request, of: bytes) else { return false }
        limits = ChangesetLimits(
            mutations: max(1, (request.mutations.count + request.surrendered.count) / 2),
            bytes: max(Self.smallest, bytes / 2))
        return true
    }

    /// Whether a request of so many bytes could be sent in smaller ones: those that would fail again are not worth repeating.
    static func divides(_ request: ExchangeRequest, of bytes: Int) -> Bool { bytes > smallest && request.parts > 1 }

    /// Whether an error may be due to the size of what was sent.
    static func isMeant(by error: ClientError) -> Bool {
        switch error {
        // The server or a proxy waited for too long, or takes less than the server says.
        case .refused(let refusal): [408, 413, 504].contains(refusal.status)
        case .unreachable(let reason):
            [CurlError.Reason.timedOut, .interrupted].contains { $0.rawValue == reason }
        default: false
        }
    }
}

extension ExchangeRequest {
    /// How many requests it could be divided into.
    fileprivate var parts: Int {
        var parts = surrendered.count
        var group: Int64?
        for mutation in mutations {
            if mutation.group == nil || mutation.group != group { parts += 1 }
            group = mutation.group
        }
        return parts
    }
}
