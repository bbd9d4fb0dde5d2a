/// Inflates a gzip stream as it comes, in constant memory and never beyond a limit.
///
/// The checksum at the end is compared, so that what was handed on is known to be whole once ``finish()`` returns.
package struct GzipDecoder: ~Copyable {
    private var stream: ZlibStream
    private var room: Int
    private var hasEnded = false

    /// Makes a decoder that hands on at most `limit` bytes, whatever comes in.
    package init(limit: Int) throws(ZlibError) {
        stream = try ZlibStream(deflates: false)
        room = limit
    }

    /// Inflates more bytes, handing on what comes out of them in pieces of at most 64 KiB.
    ///
    /// - Throws: ``ZlibError``, or what `piece` throws.
    package mutating func write(_ bytes: [UInt8], _ piece: (ArraySlice<UInt8>) throws -> Void) throws {
        guard !bytes.isEmpty else { return }
        guard !hasEnded else { throw ZlibError.damaged }
        var room = room
        let (result, consumed) = try stream.run(bytes, finishing: false) { inflated in
            room -= inflated.count
            guard room >= 0 else { throw ZlibError.tooLarge }
            try piece(inflated)
        }
        self.room = room
        switch result {
        case .hungry: return
        case .ended:
            hasEnded = true
            guard consumed == bytes.count else { throw ZlibError.damaged }
        case .damaged: throw ZlibError.damaged
        case .noMemory: throw ZlibError.noMemory
        }
    }

    /// Makes sure that the stream has come to its end.
    package func finish() throws(ZlibError) { if !hasEnded { throw .incomplete } }
}

/// Inflates bytes at once; more than `limit` of them is an error.
package func gunzip(_ bytes: [UInt8], limit: Int) throws -> [UInt8] {
    var decoder = try GzipDecoder(limit: limit)
    var inflated: [UInt8] = []
    try decoder.write(bytes) { piece in inflated += piece }
    try decoder.finish()
    return inflated
}
