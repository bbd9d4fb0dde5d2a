import Crypto

/// A one-time code that a person reads out and another types: `K7QF-2MXR`.
///
/// Eight of 31 characters are about 40 bits: enough for ten minutes behind a limit on attempts, and no more.
package struct EnrolmentCode: Sendable {
    /// The canonical spelling: capitals without the dash.
    private let letters: String

    // No 0 and O, no 1, I and L: they are mistaken for each other.
    private static let alphabet = Array("23456789ABCDEFGHJKMNPQRSTUVWXYZ")
    private static let count = 8

    package init() {
        // The system's generator, which is fit for secrets.
        var generator = SystemRandomNumberGenerator()
        letters = String((0..<Self.count).map { _ in Self.alphabet[Int.random(in: 0..<31, using: &generator)] })
    }

    /// Reads what a person typed; case, spaces and dashes do not matter.
    package init?(_ typed: String) {
        let letters = typed.uppercased().filter { $0 != "-" && $0 != " " }
        guard letters.count == Self.count, letters.allSatisfy(Self.alphabet.contains) else { return nil }
        self.letters = letters
    }

    /// As shown to people.
    package var text: String { letters.prefix(4) + "-" + letters.suffix(4) }

    /// What is stored: keyed, because so short a code could be found from a plain hash by trying all of them.
    package func hash(_ key: ServerKey) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(letters.utf8), using: key.derived("enrolment-code")))
    }
}
