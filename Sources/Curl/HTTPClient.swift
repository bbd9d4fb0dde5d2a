import Synchronization

/// An asynchronous client of HTTP/1.1 and SMTP: any number of transfers on a few threads of libcurl's.
///
/// Connections are kept and reused unless a request asks for a fresh one. The caller bounds how many transfers run at
/// once: libcurl's own queue would count waiting time against a transfer's timeout. Making the first client sets SIGPIPE
/// to be ignored in the whole process.
package final class HTTPClient: Sendable {
    private let idleConnections: Int
    /// Letters have loops of their own: while libcurl waits for a mail server to take a letter or to say goodbye, every other
    /// transfer of the same loop waits with it.
    private enum Purpose: Hashable {
        case requests
        /// Those that are doubtful. libcurl 7.88 goes through all connections of a loop, those that hang included, whenever a
        /// transfer is over: beside a thousand of them that was a tenth of the loop's time.
        case doubtful
        case letters(Int)
    }

    private struct Loops {
        var byPurpose: [Purpose: TransferLoop] = [:]
        /// How many letters are under way on each of their loops; as many loops as are usually handed over at once.
        var letters = [0, 0, 0, 0]
        var isClosed = false
    }

    private let loops = Mutex(Loops())
    private let nextID = Atomic<UInt64>(0)

    /// Starts the first of the client's threads.
    /// - Parameter idleConnections: How many connections are kept open for later requests.
    package init(idleConnections: Int = 64) {
        self.idleConnections = idleConnections
        _ = loop(for: .requests)
    }

    deinit { shutdown() }

    /// Sends the request and waits for the whole answer; any HTTP status is an answer.
    ///
    /// Cancelling the task aborts the transfer, which then throws ``CurlError/Reason/cancelled``.
    package func send(_ request: HTTPRequest) async throws(CurlError) -> HTTPResponse {
        guard let loop = loop(for: request.isDoubtful ? .doubtful : .requests) else { throw CurlError(.closed) }
        return try await carryOut(.request(request), on: loop)
    }

    /// Hands a letter to its mail server and waits until the server has taken it.
    ///
    /// Refusals throw ``CurlError/Reason/refused`` with the server's code. ``CurlError/requestMayHaveLeft`` tells whether
    /// the whole letter was handed over, before which no server keeps one.
    package func send(_ letter: MailRequest) async throws(CurlError) -> MailReply {
        let place = loops.withLock { loops in
            let place = loops.letters.indices.min { loops.letters[$0] < loops.letters[$1] } ?? 0
            loops.letters[place] += 1
            return place
        }
        defer { loops.withLock { $0.letters[place] -= 1 } }
        guard let loop = loop(for: .letters(place)) else { throw CurlError(.closed) }
        let response = try await carryOut(.letter(letter), on: loop)
        return MailReply(
            code: response.status, text: String(decoding: response.body, as: UTF8.self),
            connectedAddress: response.connectedAddress, timings: response.timings)
    }

    /// The loop for these transfers; nil after ``shutdown()``.
    ///
    /// Another one where the former came to an end by itself, as when the process had no descriptor left for it.
    private func loop(for purpose: Purpose) -> TransferLoop? {
        loops.withLock { loops in
            guard !loops.isClosed else { return nil }
            if let loop = loops.byPurpose[purpose], !loop.isClosed { return loop }
            let isForLetters = if case .letters = purpose { true } else { false }
            let loop = TransferLoop(idleConnections: isForLetters ? 1 : idleConnections)
            loop.start()
            loops.byPurpose[purpose] = loop
            return loop
        }
    }

    private func carryOut(_ order: TransferOrder, on loop: TransferLoop) async throws(CurlError) -> HTTPResponse {
        let id = nextID.wrappingAdd(1, ordering: .relaxed).newValue
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (answer: CheckedContinuation<Result<HTTPResponse, CurlError>, Never>) in
                guard !Task.isCancelled else { return answer.resume(returning: .failure(CurlError(.cancelled))) }
                loop.submit(order, id: id) { answer.resume(returning: $0) }
                // A cancellation that came just before the order found nothing to cancel.
                if Task.isCancelled { loop.cancel(id: id) }
            }
        } onCancel: {
            loop.cancel(id: id)
        }
        return try result.get()
    }

    /// Sends the request and hands on the answer as it arrives: its head, then its body piece by piece.
    ///
    /// For answers without an end. ``TransferOptions/responseLimit`` does not count here; what the reader leaves lying is
    /// kept up to a thousand pieces, then the transfer fails with ``CurlError/Reason/tooLarge``. The stream throws
    /// ``CurlError`` alone. Ending the reading, or cancelling its task, aborts the transfer.
    package func pieces(of request: HTTPRequest) -> AsyncThrowingStream<HTTPPiece, any Error> {
        let id = nextID.wrappingAdd(1, ordering: .relaxed).newValue
        let (stream, sink) = AsyncThrowingStream.makeStream(
            of: HTTPPiece.self, throwing: (any Error).self, bufferingPolicy: .bufferingOldest(1000))
        guard let loop = loop(for: .requests) else {
            sink.finish(throwing: CurlError(.closed))
            return stream
        }
        sink.onTermination = { _ in loop.cancel(id: id) }
        let order = TransferOrder.stream(request) { piece in
            if case .enqueued = sink.yield(piece) { true } else { false }
        }
        loop.submit(order, id: id) { result in
            do throws(CurlError) {
                _ = try result.get()
                sink.finish()
            } catch {
                sink.finish(throwing: error)
            }
        }
        return stream
    }

    /// Ends the transfers in progress with ``CurlError/Reason/closed`` and stops the threads; further requests fail
    /// the same way.
    package func shutdown() {
        loops.withLock { loops in
            for loop in loops.byPurpose.values { loop.close() }
            loops.isClosed = true
        }
    }
}
