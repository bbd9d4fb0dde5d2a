internal import CCurl

/// What a request sends, kept where libcurl reads it, and from one POST to the next: to allocate as much anew each time costs
/// more than to copy it.
///
/// It must outlive the easy handle that it was lent to.
@safe struct LentBody: ~Copyable {
    private var bytes: UnsafeMutablePointer<UInt8>
    private var room = 1

    init() { unsafe bytes = .allocate(capacity: 1) }

    deinit { unsafe bytes.deallocate() }

    /// Has the handle send these bytes, in place of any others.
    mutating func lend(_ body: [UInt8], to handle: UnsafeMutableRawPointer) -> CURLcode {
        if room < body.count {
            unsafe bytes.deallocate()
            unsafe bytes = .allocate(capacity: body.count)
            room = body.count
        }
        unsafe body.withUnsafeBufferPointer { body in
            if let start = body.baseAddress { unsafe bytes.update(from: start, count: body.count) }
        }
        return unsafe ccurl_lend_body(handle, bytes, body.count)
    }

    /// Forgets what was sent.
    mutating func wipe(at handle: UnsafeMutableRawPointer) -> CURLcode {
        unsafe bytes.update(repeating: 0, count: room)
        return unsafe ccurl_lend_body(handle, bytes, 0)
    }
}
