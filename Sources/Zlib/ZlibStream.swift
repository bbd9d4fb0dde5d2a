internal import CZlib

/// One of zlib's streams with a buffer for what comes out.
@safe struct ZlibStream: ~Copyable {
    private let stream: UnsafeMutablePointer<czlib_stream>
    private var buffer: [UInt8]

    /// Bytes handed on at a time.
    static let pieceSize = 64 << 10

    init(deflates: Bool, level: Int32 = 0) throws(ZlibError) {
        guard let stream = unsafe czlib_begin(deflates, level) else { throw .noMemory }
        unsafe self.stream = unsafe stream
        buffer = Array(repeating: 0, count: Self.pieceSize)
    }

    deinit { unsafe czlib_end(stream) }

    /// Gives input to zlib and hands on what comes out, at most ``pieceSize`` bytes at a time.
    ///
    /// - Returns: Whether the stream has come to its end, and how much of the input it took.
    mutating func run<Failure: Error>(
        _ input: [UInt8], finishing: Bool, _ piece: (ArraySlice<UInt8>) throws(Failure) -> Void
    ) throws(Failure) -> (result: StepResult, consumed: Int) {
        var position = 0
        while true {
            let step = unsafe input.withUnsafeBufferPointer { bytes in
                let base = unsafe bytes.baseAddress.map { unsafe $0 + position }
                return unsafe czlib_run(stream, base, bytes.count - position, &buffer, buffer.count, finishing)
            }
            position += step.consumed
            if step.produced > 0 { try piece(buffer[..<step.produced]) }
            switch step.result {
            case Z_STREAM_END: return (.ended, position)
            case Z_OK, Z_BUF_ERROR:
                // A full buffer may leave output inside; otherwise nothing more comes of this input.
                if step.produced < buffer.count, position == input.count, !finishing { return (.hungry, position) }
                if step.produced == 0, step.consumed == 0 { return (.hungry, position) }
            case Z_MEM_ERROR: return (.noMemory, position)
            default: return (.damaged, position)
            }
        }
    }

    enum StepResult { case hungry, ended, damaged, noMemory }
}
