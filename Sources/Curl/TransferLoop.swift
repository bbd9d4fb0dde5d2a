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
/// Other threads leave orders in the mailbox and ring, once for all that they leave while the loop is busy.
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
        /// Whether the loop will not look into the mailbox again before somebody rings.
        var isResting = false
        var isClosing = false
        var isClosed = false
    }

    private let mailbox = Mutex(Mailbox())
    private nonisolated(unsafe) let multi: UnsafeMutableRawPointer?
    private let bell = Bell()
    private let idleConnections: Int

    private static let libraryIsReady = ccurl_global_init() == CURLE_OK

    /// Makes the multi handle; without one (no memory, no descriptors) the loop is closed from the start.
    /// - Parameter idleConnections: How many connections are kept open for later transfers.
    init(idleConnections: Int) {
        self.idleConnections = idleConnections
        unsafe multi = Self.libraryIsReady ? curl_multi_init() : nil
        guard let multi = unsafe multi, bell != nil else {
            mailbox.withLock { $0.isClosed = true }
            return
        }
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

    /// Whether it takes no more orders, having been told to or having had to give up.
    var isClosed: Bool { mailbox.withLock { $0.isClosing || $0.isClosed } }

    /// Orders a transfer; the completion is called exactly once, from the loop's thread or at once when closed.
    func submit(_ order: TransferOrder, id: UInt64, completion: @escaping Completion) {
        let isAccepted = mailbox.withLock { mailbox in
            guard !mailbox.isClosing, !mailbox.isClosed else { return false }
            mailbox.submissions.append(Submission(id: id, order: order, completion: completion))
            wake(&mailbox)
            return true
        }
        if !isAccepted { completion(.failure(CurlError(.closed))) }
    }

    /// Ends the transfer as cancelled; a transfer that is over, or was never ordered, is left alone.
    func cancel(id: UInt64) {
        mailbox.withLock { mailbox in
            guard !mailbox.isClosed else { return }
            mailbox.cancellations.append(id)
            wake(&mailbox)
        }
    }

    /// Ends all transfers and then the thread, without waiting for either.
    func close() {
        mailbox.withLock { mailbox in
            guard !mailbox.isClosed else { return }
            mailbox.isClosing = true
            wake(&mailbox)
        }
    }

    private func wake(_ mailbox: inout Mailbox) {
        if mailbox.isResting { bell?.ring() }
        mailbox.isResting = false
    }
}

// MARK: On the loop's thread

extension TransferLoop {
    /// The transfers in progress, found by order and by handle.
    private struct Running {
        var byID: [UInt64: (transfer: Transfer, completion: Completion)] = [:]
        /// By the handle's address, which stays the same for as long as the transfer runs.
        var ids: [UInt: UInt64] = [:]
        /// Transfers that are over, for others that are carried out the same way.
        var idle: [Transfer] = []

        static let mostIdle = 64
    }

    private func run() {
        guard let multi = unsafe multi, let bell else { return }
        var running = Running()
        let watch = SocketWatch(bell)
        if let watch, unsafe watch.serve(multi) {
            while takeOrders(in: &running), unsafe watch.tellTime(multi) {
                finishTransfers(in: &running)
                guard unsafe watch.wait(rest() ? 10_000 : 0, for: multi) else { break }
                finishTransfers(in: &running)
            }
        }
        // While libcurl still works the mailbox has been closed by somebody; otherwise nothing can be carried out any more.
        let wasClosed = mailbox.withLock(\.isClosing)
        let left = mailbox.withLock { mailbox in
            defer { mailbox = Mailbox(isClosing: true, isClosed: true) }
            return mailbox.submissions
        }
        for submission in left { submission.completion(.failure(CurlError(.closed))) }
        endAll(in: &running, as: wasClosed ? .closed : .failed)
        running.idle = []
        unsafe curl_multi_cleanup(multi)
        withExtendedLifetime(watch) {}
    }

    /// Begins and ends what the mailbox says; false when it is closing.
    private func takeOrders(in running: inout Running) -> Bool {
        let orders = mailbox.withLock { mailbox in
            defer {
                mailbox.submissions = []
                mailbox.cancellations = []
                mailbox.isResting = false
            }
            return mailbox
        }
        for submission in orders.submissions { begin(submission, in: &running) }
        for id in orders.cancellations { end(id, in: &running, as: .cancelled) }
        return !orders.isClosing
    }

    /// Whether there is nothing in the mailbox; whoever leaves something there from now on rings.
    private func rest() -> Bool {
        mailbox.withLock { mailbox in
            mailbox.isResting = mailbox.submissions.isEmpty && mailbox.cancellations.isEmpty && !mailbox.isClosing
            return mailbox.isResting
        }
    }

    private func finishTransfers(in running: inout Running) {
        guard let multi = unsafe multi else { return }
        var code = CURLE_OK
        while let handle = unsafe ccurl_next_finished(multi, &code) {
            guard let id = running.ids[UInt(bitPattern: handle)] else { continue }
            finish(id, in: &running) { $0.result(code) }
        }
    }

    private func begin(_ submission: Submission, in running: inout Running) {
        guard let multi = unsafe multi else { return }
        do throws(CurlError) {
            let transfer = try transfer(for: submission.order, in: &running)
            guard unsafe curl_multi_add_handle(multi, transfer.handle) == CURLM_OK else {
                throw CurlError(.failed, detail: "libcurl refused the transfer")
            }
            running.byID[submission.id] = (transfer, submission.completion)
            limitConnections(beside: running)
            unsafe running.ids[UInt(bitPattern: transfer.handle)] = submission.id
        } catch {
            submission.completion(.failure(error))
        }
    }

    private func transfer(for order: TransferOrder, in running: inout Running) throws(CurlError) -> Transfer {
        // One that does not suit makes room for one that will.
        guard let last = running.idle.popLast(), case .request(let request) = order, last.suits(request) else {
            return try Transfer(order)
        }
        try last.begin(anew: request)
        return last
    }

    /// libcurl counts the connections in use among those it keeps open: with a fixed limit, receivers that hang would cost
    /// all others theirs.
    private func limitConnections(beside running: Running) {
        guard let multi = unsafe multi else { return }
        unsafe _ = ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, idleConnections + running.byID.count)
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
        limitConnections(beside: running)
        if running.idle.count < Running.mostIdle, transfer.rest() { running.idle.append(transfer) }
        completion(value)
    }
}
