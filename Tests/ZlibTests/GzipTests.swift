import Testing
import Zlib

@Suite struct `Gzip` {
    /// Bytes that compress neither wholly nor not at all.
    private func sample(_ count: Int) -> [UInt8] {
        var state: UInt64 = 7
        return (0..<count).map { index in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return index % 3 == 0 ? UInt8(truncatingIfNeeded: state >> 40) : UInt8(truncatingIfNeeded: index / 50)
        }
    }

    @Test(arguments: [0, 1, 1000, 65_536, 65_537, 1_000_000])
    func `what is compressed inflates to itself`(count: Int) throws {
        let bytes = sample(count)
        let compressed = try gzip(bytes, level: 3)
        #expect(try gunzip(compressed, limit: count) == bytes)
        #expect(Array(compressed.prefix(2)) == [0x1F, 0x8B])
    }

    @Test func `a stream written and read in pieces of any size is the same`() throws {
        let bytes = sample(300_000)
        for size in [1, 777, 65_536, 200_000] {
            var encoder = try GzipEncoder(level: 6)
            var compressed: [UInt8] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                try encoder.write(Array(bytes[start..<min(start + size, bytes.count)])) { compressed += $0 }
            }
            try encoder.finish { compressed += $0 }
            var decoder = try GzipDecoder(limit: bytes.count)
            var inflated: [UInt8] = []
            for start in stride(from: 0, to: compressed.count, by: size) {
                try decoder.write(Array(compressed[start..<min(start + size, compressed.count)])) { inflated += $0 }
            }
            try decoder.finish()
            #expect(inflated == bytes)
        }
    }

    @Test func `what inflates beyond the limit is refused before it takes more memory`() throws {
        let bomb = try gzip(Array(repeating: 0, count: 50_000_000), level: 9)
        #expect(bomb.count < 100_000)
        var handedOn = 0
        var decoder = try GzipDecoder(limit: 100_000)
        #expect(throws: ZlibError.tooLarge) { try decoder.write(bomb) { handedOn += $0.count } }
        #expect(handedOn <= 100_000)
    }

    @Test func `a stream that is cut, changed or followed by something is an error`() throws {
        let compressed = try gzip(sample(100_000), level: 6)
        #expect(throws: ZlibError.incomplete) { try gunzip(Array(compressed.dropLast()), limit: 200_000) }
        #expect(throws: ZlibError.incomplete) { try gunzip([], limit: 200_000) }
        #expect(throws: ZlibError.damaged) { try gunzip(compressed + [0], limit: 200_000) }
        #expect(throws: ZlibError.damaged) { try gunzip(Array("{\"rows\":[]}".utf8), limit: 200_000) }
        var changed = compressed
        changed[compressed.count - 6] ^= 1
        #expect(throws: ZlibError.damaged) { try gunzip(changed, limit: 200_000) }
    }
}
