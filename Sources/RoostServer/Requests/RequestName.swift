/// The name of one request in logs and error bodies.
enum RequestName {
    /// An inbound name if it is harmless in a log (8–64 letters, digits, `-`, `_`, `.`), else a new one.
    static func accepting(_ inbound: String?) -> String {
        if let inbound, (8...64).contains(inbound.utf8.count), inbound.utf8.allSatisfy(isHarmless) { return inbound }
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private static func isHarmless(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
