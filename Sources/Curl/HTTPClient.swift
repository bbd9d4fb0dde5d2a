import Synchronization

/// An asynchronous HTTP/1.1 client: any number of transfers on one thread of libcurl's.
///
/// Connections are kept and reused unless a request asks for a fresh one. The caller bounds how many transfers run at
/// once: libcurl's own queue would count waiting time against a transfer's timeout. Making the first client sets SIGPIPE
/// to be ignored in the whole process.
package final class HTTPClient: Sendable {
    private let loop: TransferLoop
    private let nextID = Atomic<UInt64>(0)

    /// Starts the client's thread.
    /// - Parameter idleConnections: How many connections are kept open for later requests.
    package init(idleConnections: Int = 64) {
        loop = TransferLoop(idleConnections: idleConnections)
        loop.start()
    }

    deinit {
        loop.close()
    }

    /// Sends the request and waits for the whole answer; any HTTP status is an answer.
    ///
    /// Cancelling the task aborts the transfer, which then throws ``CurlError/Reason/cancelled``.
    package func send(_ request: HTTPRequest) async throws(CurlError) -> HTTPResponse {
        let id = nextID.wrappingAdd(1, ordering: .relaxed).newValue
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (completion: TransferLoop.Completion) in
                guard !Task.isCancelled else { return completion.resume(returning: .failure(CurlError(.cancelled))) }
                loop.submit(request, id: id, completion: completion)
                // A cancellation that came just before the order found nothing to cancel.
                if Task.isCancelled { loop.cancel(id: id) }
            }
        } onCancel: {
            loop.cancel(id: id)
        }
        return try result.get()
    }

    /// Ends the transfers in progress with ``CurlError/Reason/closed`` and stops the thread; further requests fail
    /// the same way.
    package func shutdown() {
        loop.close()
    }
}
