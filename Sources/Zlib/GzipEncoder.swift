/// Compresses bytes as they come into one gzip stream (RFC 1952), in constant memory.
package struct GzipEncoder: ~Copyable {
    private var stream: ZlibStream

    /// Makes an encoder; `level` is 1 for fastest to 9 for smallest.
    package init(level: Int) throws(ZlibError) {
        stream = try ZlibStream(deflates: true, level: Int32(max(1, min(9, level))))
    }

    /// Compresses more bytes, handing on what is ready.
    package mutating func write(_ bytes: [UInt8], _ piece: (ArraySlice<UInt8>) throws -> Void) throws {
        guard !bytes.isEmpty else { return }
        guard try stream.run(bytes, finishing: false, piece).result != .noMemory else { throw ZlibError.noMemory }
    }

    /// Ends the stream, handing on the rest; nothing may be written afterwards.
    package mutating func finish(_ piece: (ArraySlice<UInt8>) throws -> Void) throws {
        guard try stream.run([], finishing: true, piece).result == .ended else { throw ZlibError.noMemory }
    }
}

/// Compresses bytes at once.
package func gzip(_ bytes: [UInt8], level: Int) throws(ZlibError) -> [UInt8] {
    var stream = try ZlibStream(deflates: true, level: Int32(max(1, min(9, level))))
    var compressed: [UInt8] = []
    compressed.reserveCapacity(bytes.count / 4 + 64)
    let (result, _) = stream.run(bytes, finishing: true) { piece in compressed += piece }
    guard result == .ended else { throw .noMemory }
    return compressed
}
