internal import CCurl
import Synchronization

internal import class Foundation.Thread

/// What the loop is asked to carry out.
enum TransferOrder: Sendable {
    case request(HTTPRequest)
    /// Hands on the answer piece by piece instead of keeping it; false ends the transfer.
    case stream(HTTPRequest, @Sendable (HTTPPiece) -> Bool)
    case letter(MailRequest)
}

/// The one thread that owns libcurl's multi handle and everything in it.
///
/// Other threads leave orders in the mailbox and wake the loop with `curl_multi_wakeup`, the only call libcurl permits
/// from elsewhere. It happens under the mailbox's lock, and the loop marks the mailbox closed under the same lock
/// before it frees the multi handle, so no wake-up can reach freed memory.
@safe
final class TransferLoop: Sendable {
    /// Told once how a transfer ended.
    typealias Completion = @Sendable (Result<HTTPResponse, CurlError>) -> Void

    private struct Submission {
        let id: UInt64
        let order: TransferOrder
        let completion: Completion
    }

    private struct Mailbox {
        var submissions: [Submission] = []
        var cancellations: [UInt64] = []
        var isClosing = false
        var isClosed = false
    }

    private let mailbox = Mutex(Mailbox())
    private nonisolated(unsafe) let multi: UnsafeMutableRawPointer?

    private static let libraryIsReady = ccurl_global_init() == CURLE_OK

    /// Makes the multi handle; without one (no memory) the loop is closed from the start.
    /// - Parameter idleConnections: How many connections are kept open for later transfers.
    init(idleConnections: Int) {
        unsafe multi = Self.libraryIsReady ? curl_multi_init() : nil
        guard let multi = unsafe multi else {
            mailbox.withLock { $0.isClosed = true }
            return
        }
        unsafe _ = ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, idleConnections)
        // One request per connection at a time: HTTP/1.1 is all we speak.
        unsafe _ = ccurl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
    }

    /// Starts the thread, which ends after ``close()``.
    func start() {
        guard mailbox.withLock({ !$0.isClosed }) else { return }
        let thread = Thread { self.run() }
        thread.name = "roost-curl"
        thread.start()
    }

    /// Orders a transfer; the completion is called exactly once, from the loop's thread or at once when closed.
    func submit(_ order: TransferOrder, id: UInt64, completion: @escaping Completion) {
        let isAccepted = mailbox.withLock { mailbox in
            guard !mailbox.isClosing, !mailbox.isClosed else { return false }
            mailbox.submissions.append(Submission(id: id, order: order, completion: completion))
            wake()
            return true
        }
        if !isAccepted { completion(.failure(CurlError(.closed))) }
    }

    /// Ends the transfer as cancelled; a transfer that is over, or was never ordered, is left alone.
    func cancel(id: UInt64) {
        mailbox.withLock { mailbox in
            guard !mailbox.isClosed else { return }
            mailbox.cancellations.append(id)
            wake()
        }
    }

    /// Ends all transfers and then the thread, without waiting for either.
    func close() {
        mailbox.withLock { mailbox in
            guard !mailbox.isClosed else { return }
            mailbox.isClosing = true
            wake()
        }
    }

    /// Wakes the loop; called with the mailbox locked and open only.
    private func wake() {
        if let multi = unsafe multi { unsafe curl_multi_wakeup(multi) }
    }
}

// MARK: On the loop's thread

extension TransferLoop {
    /// The transfers in progress, found by order and by handle.
    private struct Running {
        var byID: [UInt64: (transfer: Transfer, completion: Completion)] = [:]
        /// By the handle's address, which stays the same for as long as the transfer runs.
        var ids: [UInt: UInt64] = [:]
    }

    private func run() {
        guard let multi = unsafe multi else { return }
        var running = Running()
        var isClosing = false
        while !isClosing {
            let orders = mailbox.withLock { mailbox in
                defer {
                    mailbox.submissions = []
                    mailbox.cancellations = []
                }
                return mailbox
            }
            for submission in orders.submissions { begin(submission, in: &running) }
            for id in orders.cancellations { end(id, in: &running, as: .cancelled) }
            isClosing = orders.isClosing
            guard !isClosing else { break }

            var active: Int32 = 0
            guard unsafe curl_multi_perform(multi, &active) == CURLM_OK else {
                endAll(in: &running, as: .failed)
                isClosing = true
                break
            }
            var code = CURLE_OK
            while let handle = unsafe ccurl_next_finished(multi, &code) {
                guard let id = running.ids[UInt(bitPattern: handle)] else { continue }
                finish(id, in: &running) { $0.result(code) }
            }
            // libcurl shortens the wait to its own next timer; a wake-up sent before the call ends it at once.
            unsafe curl_multi_poll(multi, nil, 0, 10_000, nil)
        }
        let left = mailbox.withLock { mailbox in
            defer { mailbox = Mailbox(isClosing: true, isClosed: true) }
            return mailbox.submissions
        }
        for submission in left { submission.completion(.failure(CurlError(.closed))) }
        endAll(in: &running, as: .closed)
        unsafe curl_multi_cleanup(multi)
    }

    private func begin(_ submission: Submission, in running: inout Running) {
        guard let multi = unsafe multi else { return }
        do throws(CurlError) {
            let transfer = try Transfer(submission.order)
            guard unsafe curl_multi_add_handle(multi, transfer.handle) == CURLM_OK else {
                throw CurlError(.failed, detail: "libcurl refused the transfer")
            }
            running.byID[submission.id] = (transfer, submission.completion)
            unsafe running.ids[UInt(bitPattern: transfer.handle)] = submission.id
        } catch {
            submission.completion(.failure(error))
        }
    }

    private func end(_ id: UInt64, in running: inout Running, as reason: CurlError.Reason) {
        finish(id, in: &running) { .failure($0.error(reason)) }
    }

    private func endAll(in running: inout Running, as reason: CurlError.Reason) {
        for id in running.byID.keys { end(id, in: &running, as: reason) }
    }

    /// Takes the transfer out of libcurl and tells whoever waits for it.
    private func finish(
        _ id: UInt64, in running: inout Running, result: (Transfer) -> Result<HTTPResponse, CurlError>
    ) {
        guard let multi = unsafe multi, let (transfer, completion) = running.byID.removeValue(forKey: id)
        else { return }
        unsafe running.ids.removeValue(forKey: UInt(bitPattern: transfer.handle))
        let value = result(transfer)
        unsafe curl_multi_remove_handle(multi, transfer.handle)
        completion(value)
    }
}
