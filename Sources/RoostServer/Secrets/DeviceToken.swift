import Crypto

/// What a device shows with each request: 256 random bits, told once and kept by the server only as a hash.
package struct DeviceToken: Sendable {
    /// As sent after `Bearer`: `roost_` and 64 hexadecimal digits.
    package let text: String

    private static let prefix = "roost_"

    package init() {
        let bytes = unsafe SymmetricKey(size: .bits256).withUnsafeBytes { unsafe Array($0) }
        text = Self.prefix + hexadecimal(bytes)
    }

    /// Reads the value of an `Authorization` header; nil if it is no token of ours.
    init?(authorization: String?) {
        // The scheme may be spelled with any capitals (RFC 9110).
        guard let authorization, authorization.prefix(7).lowercased() == "bearer " else { return nil }
        let text = authorization.dropFirst(7)
        guard text.hasPrefix(Self.prefix), text.utf8.count == Self.prefix.utf8.count + 64 else { return nil }
        self.text = String(text)
    }

    /// SHA-256; with 256 random bits nothing slower is needed.
    package var hash: [UInt8] { Array(SHA256.hash(data: Array(text.utf8))) }
}

/// Lower-case hexadecimal digits of bytes.
func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
