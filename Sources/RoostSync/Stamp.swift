import RoostSchema

/// A device's database, or the server's own writer; random, never reused.
package struct ReplicaID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let bits: UInt64

    package init(_ bits: UInt64) { self.bits = bits }

    /// Reads sixteen hexadecimal digits.
    package init?(_ text: some StringProtocol) {
        guard text.utf8.count == 16, let bits = hexadecimal(text.utf8) else { return nil }
        self.bits = bits
    }

    package var description: String { paddedHexadecimal(bits) }
    package static func < (left: Self, right: Self) -> Bool { left.bits < right.bits }
}

/// A position in the server's commit order; never a time.
///
/// Zero is before everything.
package struct ServerSequence: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let value: Int64

    package init(_ value: Int64) { self.value = value }

    package static let zero = ServerSequence(0)
    package var next: ServerSequence { ServerSequence(value + 1) }
    package var description: String { "\(value)" }
    package static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

/// A moment in milliseconds since the Unix epoch, as some clock told it.
package struct Milliseconds: Hashable, Comparable, Sendable {
    package let value: Int64

    package init(_ value: Int64) { self.value = value }

    package static func < (left: Self, right: Self) -> Bool { left.value < right.value }
    package static func + (left: Self, right: Int64) -> Self { Self(left.value + right) }
    package static func - (left: Self, right: Self) -> Int64 { left.value - right.value }
}

/// The hybrid logical time of a change: 48 bits of milliseconds since the Unix epoch, then 16 bits that count changes
/// within one millisecond.
///
/// The next time after a full counter is the next millisecond: overflow borrows, never fails.
package struct HybridTime: Hashable, Comparable, Sendable {
    package let bits: UInt64

    package init(bits: UInt64) { self.bits = bits }

    /// The first time of a millisecond; moments before 1970 count as 1970, those after 10889 as 10889.
    package init(_ moment: Milliseconds) {
        bits = UInt64(clamping: max(0, min(moment.value, 0xFFFF_FFFF_FFFF))) << 16
    }

    package var moment: Milliseconds { Milliseconds(Int64(bits >> 16)) }
    package var counter: UInt16 { UInt16(truncatingIfNeeded: bits) }
    package var next: HybridTime { HybridTime(bits: bits == .max ? bits : bits + 1) }
    package static func < (left: Self, right: Self) -> Bool { left.bits < right.bits }
}

/// The moment a replica changed a field, totally ordered across all replicas: by time, then counter, then replica.
///
/// - Invariant: one stamp names one mutation; the server issues the effective stamps of a replica in strictly rising
///   order (see ``EffectiveTime``).
package struct Stamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let time: HybridTime
    package let replica: ReplicaID

    package init(_ time: HybridTime, _ replica: ReplicaID) {
        self.time = time
        self.replica = replica
    }

    package init(bits: UInt128) {
        time = HybridTime(bits: UInt64(truncatingIfNeeded: bits >> 64))
        replica = ReplicaID(UInt64(truncatingIfNeeded: bits))
    }

    /// Sixteen bytes, big-endian, whose byte order is the order of stamps.
    package var bits: UInt128 { UInt128(time.bits) << 64 | UInt128(replica.bits) }

    /// Reads the written form: 16 hexadecimal digits of time, `-`, 16 of replica.
    ///
    /// Text order is stamp order.
    package init?(_ text: String) {
        let bytes = text.utf8
        guard bytes.count == 33 else { return nil }
        let dash = bytes.index(bytes.startIndex, offsetBy: 16)
        guard bytes[dash] == 0x2D, let time = hexadecimal(bytes[..<dash]),
            let replica = hexadecimal(bytes[bytes.index(after: dash)...])
        else { return nil }
        self.init(HybridTime(bits: time), ReplicaID(replica))
    }

    /// Reads the written form from its 33 bytes.
    init?(utf8: borrowing Span<UInt8>) {
        guard utf8.count == 33, utf8[16] == 0x2D, let time = hexadecimal(utf8: utf8.extracting(0..<16)),
            let replica = hexadecimal(utf8: utf8.extracting(17..<33))
        else { return nil }
        self.init(HybridTime(bits: time), ReplicaID(replica))
    }

    package var description: String { paddedHexadecimal(time.bits) + "-" + paddedHexadecimal(replica.bits) }

    package static func < (left: Self, right: Self) -> Bool {
        left.time == right.time ? left.replica < right.replica : left.time < right.time
    }
}

/// The clock by which a replica stamps its own edits.
///
/// It never runs backwards, so a replica never issues the same stamp twice even if its wall clock is set back.
package struct HybridClock: Sendable {
    package private(set) var last: HybridTime

    package init(last: HybridTime) { self.last = last }

    package mutating func tick(now: Milliseconds) -> HybridTime {
        last = max(HybridTime(now), last.next)
        return last
    }
}

func hexadecimal(_ digits: some Swift.Collection<UInt8>) -> UInt64? {
    var bits: UInt64 = 0
    for byte in digits {
        guard let digit = hexDigit(byte) else { return nil }
        bits = bits << 4 | UInt64(digit)
    }
    return bits
}

func hexadecimal(utf8 digits: borrowing Span<UInt8>) -> UInt64? {
    var bits: UInt64 = 0
    for index in digits.indices {
        guard let digit = hexDigit(digits[index]) else { return nil }
        bits = bits << 4 | UInt64(digit)
    }
    return bits
}

func paddedHexadecimal(_ bits: UInt64) -> String {
    let digits = String(bits, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
}
