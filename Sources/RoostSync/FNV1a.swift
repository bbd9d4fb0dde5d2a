/// The 64-bit FNV-1a hash: finds differences that nobody made on purpose.
struct FNV1a: Hashable, Sendable {
    private(set) var bits: UInt64 = 0xCBF2_9CE4_8422_2325

    init(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { bits = (bits ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }
}
