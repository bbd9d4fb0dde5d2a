import HTTPTypes
package import Hummingbird
package import NIOCore
import RoostAPI
package import RoostStore
import Synchronization

/// What is known of a request beside what it says itself.
package struct RoostContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    package let channel: any Channel
    package let trace: RequestTrace
    /// Set by authentication; see ``sender``.
    package var device: Device?

    package init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
        trace = RequestTrace()
    }

    /// The device that sent the request; only routes behind authentication ask.
    package var sender: Device {
        get throws {
            guard let device else { throw Refusal(.unauthorized, "a device token is needed") }
            return device
        }
    }
}

/// What the parts of one request's handling learn for its log line.
package final class RequestTrace: Sendable {
    private struct Facts {
        var requestID = ""
        var replica: String?
    }
    private let facts = Mutex(Facts())

    package var requestID: String {
        get { facts.withLock { $0.requestID } }
        set { facts.withLock { $0.requestID = newValue } }
    }

    package var replica: String? {
        get { facts.withLock { $0.replica } }
        set { facts.withLock { $0.replica = newValue } }
    }
}
