import Foundation

/// Texts that occur nowhere else, each planted in one field of one row, so that a search of raw bytes tells what leaked.
struct Canaries {
    struct Origin: Hashable {
        let place: Place
        let field: String
        /// The device on which it was typed; nil for the server.
        let device: Int?
    }

    private(set) var origins: [Int: Origin] = [:]
    private var next = 1

    /// Begins each text; no identity, stamp or name contains it.
    private static let prefix = Array("zq".utf8)
    /// Begins each phone number; a masked one has lost it.
    private static let phonePrefix = Array("+86138".utf8)

    mutating func text(for place: Place, _ field: String, device: Int?) -> String {
        "zq" + digits(plant(place, field, device), 6)
    }

    mutating func phone(for place: Place, _ field: String, device: Int?) -> String {
        "+86138" + digits(plant(place, field, device), 8)
    }

    private mutating func plant(_ place: Place, _ field: String, _ device: Int?) -> Int {
        defer { next += 1 }
        origins[next] = Origin(place: place, field: field, device: device)
        return next
    }

    private func digits(_ number: Int, _ count: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: count - text.count) + text
    }

    /// The canaries whose texts stand in some bytes.
    func found(in bytes: [UInt8]) -> Set<Int> {
        Self.numbers(after: Self.prefix, count: 6, in: bytes)
            .union(Self.numbers(after: Self.phonePrefix, count: 8, in: bytes))
    }

    /// Files are long and canaries few, so the first byte is left to memchr(3) to find.
    private static func numbers(after prefix: [UInt8], count: Int, in bytes: [UInt8]) -> Set<Int> {
        var found: Set<Int> = []
        var start = 0
        while let position = first(prefix[0], in: bytes, from: start) {
            start = position + 1
            let digits = position + prefix.count
            guard digits + count <= bytes.count else { break }
            guard bytes[position..<digits].elementsEqual(prefix) else { continue }
            let number = bytes[digits..<digits + count]
            guard number.allSatisfy({ (0x30...0x39).contains($0) }) else { continue }
            found.insert(number.reduce(0) { $0 * 10 + Int($1 - 0x30) })
        }
        return found
    }

    private static func first(_ byte: UInt8, in bytes: [UInt8], from start: Int) -> Int? {
        unsafe bytes.withUnsafeBytes { buffer in
            guard start < buffer.count, let base = buffer.baseAddress,
                let hit = unsafe memchr(base + start, Int32(byte), buffer.count - start)
            else { return nil }
            return unsafe UnsafeRawPointer(hit) - base
        }
    }
}
