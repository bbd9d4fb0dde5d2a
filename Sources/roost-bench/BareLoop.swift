import CCurl
import RoostSchema

/// The same POSTs by nothing but `curl_multi` and prepared statements, with the same commits: what the machine can do.
final class BareLoop {
    struct Failure: Error { let code: Int32 }

    private let outbox: BareOutbox

    /// As the sender.
    private static let (step, hand) = (256, 1024)

    /// An easy handle that is used again and again.
    @safe private final class Handle {
        let pointer: UnsafeMutableRawPointer
        var delivery = RowID(bits: 0)

        init(to url: String, body: [UInt8], headers: UnsafeMutablePointer<curl_slist>?, _ kind: Kind) throws {
            guard let pointer = unsafe curl_easy_init() else { throw Failure(code: -4) }
            unsafe self.pointer = unsafe pointer
            unsafe _ = ccurl_set_string(pointer, CURLOPT_URL, url)
            unsafe _ = ccurl_set_long(pointer, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
            unsafe _ = ccurl_set_long(pointer, CURLOPT_POST, 1)
            unsafe _ = ccurl_copy_body(pointer, body, body.count)
            unsafe _ = ccurl_set_list(pointer, CURLOPT_HTTPHEADER, headers)
            if let file = kind.authorities { unsafe _ = ccurl_set_string(pointer, CURLOPT_CAINFO, file) }
            if kind.connectsAnew {
                unsafe _ = ccurl_set_long(pointer, CURLOPT_FRESH_CONNECT, 1)
                unsafe _ = ccurl_set_long(pointer, CURLOPT_FORBID_REUSE, 1)
            }
            unsafe _ = ccurl_set_data_callback(pointer, CURLOPT_WRITEFUNCTION) { _, size, count, _ in size * count }
        }

        deinit { unsafe curl_easy_cleanup(pointer) }
    }

    /// How it connects.
    struct Kind {
        var connectsAnew = false
        /// A PEM file, for TLS.
        var authorities: String?
    }

    /// Makes an outbox in the directory.
    init(directory: String) throws { outbox = try BareOutbox(directory: directory) }

    /// Deliveries per second, `concurrency` at once.
    ///
    /// Each is taken from the outbox before it begins and settled there before it counts, in commits as large as the
    /// sender's: as many are taken as it takes in hand, and what has come in is settled in the same steps.
    func run(
        _ total: Int, to url: String, body: [UInt8], concurrency: Int, _ kind: Kind = Kind()
    ) throws -> Spending {
        try outbox.release(total)
        guard let multi = unsafe curl_multi_init() else { throw Failure(code: -3) }
        defer { unsafe curl_multi_cleanup(multi) }
        unsafe _ = ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, concurrency)
        let headers = unsafe curl_slist_append(curl_slist_append(nil, "Content-Type: application/json"), "Expect:")
        defer { unsafe curl_slist_free_all(headers) }
        let handles = try (0..<concurrency).map { _ in try unsafe Handle(to: url, body: body, headers: headers, kind) }
        let byPointer = Dictionary(uniqueKeysWithValues: handles.map { (unsafe UInt(bitPattern: $0.pointer), $0) })
        var idle = handles
        var (ready, sent): ([RowID], [RowID]) = ([], [])
        var (taken, settled) = (0, 0)
        let meter = Meter()
        while settled < total {
            let active = handles.count - idle.count
            if sent.count >= Self.step || ready.isEmpty && (taken < total ? active < concurrency : active == 0) {
                let more = try outbox.turn(sent: sent, taking: Self.hand - active - ready.count)
                ready += more
                taken += more.count
                settled += sent.count
                sent = []
            }
            while let id = ready.last, let handle = idle.popLast() {
                ready.removeLast()
                handle.delivery = id
                unsafe _ = curl_multi_add_handle(multi, handle.pointer)
            }
            var running: Int32 = 0
            unsafe _ = curl_multi_perform(multi, &running)
            var code = CURLE_OK
            var hasFinished = false
            while let pointer = unsafe ccurl_next_finished(multi, &code) {
                guard code == CURLE_OK, let handle = byPointer[UInt(bitPattern: pointer)] else {
                    throw Failure(code: Int32(bitPattern: code.rawValue))
                }
                sent.append(handle.delivery)
                idle.append(handle)
                hasFinished = true
                unsafe _ = curl_multi_remove_handle(multi, pointer)
            }
            if !hasFinished, running > 0 { unsafe _ = curl_multi_poll(multi, nil, 0, 1000, nil) }
        }
        return meter.spent(on: total)
    }
}
