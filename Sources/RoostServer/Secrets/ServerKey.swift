package import Crypto
import Foundation
import RoostStore

/// Why the key file cannot be used.
package enum KeyFileError: Error, Hashable, Sendable {
    case missing(path: String)
    /// It is not 32 bytes long.
    case damaged(path: String)
    case exists(path: String)
    /// The setting that stands in its place is no 64 hexadecimal digits.
    case unreadableSetting
    /// It is whole, but not the one that the secrets in the database were sealed with.
    case foreign(path: String)
}

/// The server's secret, kept in a file of its own beside the database and never inside it.
///
/// Whoever has a copy of the database alone can neither read endpoint secrets nor try out identity numbers. A backup
/// without the key restores the roster but not those; so the key is kept too, in another place.
package struct ServerKey: Sendable, CustomStringConvertible {
    private let key: SymmetricKey

    package static let fileName = "roost.key"
    private static let size = 32

    package static func path(in directory: String) -> String { directory + "/" + fileName }

    /// Reads the key of a data directory.
    package init(directory: String) throws {
        let path = Self.path(in: directory)
        guard let bytes = FileManager.default.contents(atPath: path) else { throw KeyFileError.missing(path: path) }
        guard bytes.count == Self.size else { throw KeyFileError.damaged(path: path) }
        key = SymmetricKey(data: bytes)
    }

    /// The key in hexadecimal, as it is given in place of a file.
    package init(hexadecimal text: String) throws {
        let digits = text.filter { !$0.isWhitespace }.compactMap(\.hexDigitValue)
        guard digits.count == 2 * Self.size, text.count(where: { !$0.isWhitespace }) == digits.count else {
            throw KeyFileError.unreadableSetting
        }
        key = SymmetricKey(
            data: stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) })
    }

    /// What a database keeps to tell this key from any other, and from which nobody gets the key.
    var mark: String {
        hexadecimal(Array(HMAC<SHA256>.authenticationCode(for: Data("roost key".utf8), using: derived("mark"))))
    }

    /// Draws a key and writes it, readable for its owner only; never over an existing one.
    ///
    /// The file gets its name when it is whole and on the disk: half a key would lock its database up for good.
    package static func create(in directory: String) throws {
        let path = path(in: directory)
        let files = FileManager.default
        guard !files.fileExists(atPath: path) else { throw KeyFileError.exists(path: path) }
        let bytes = unsafe SymmetricKey(size: .bits256).withUnsafeBytes { unsafe Data($0) }
        let draft = path + ".new"
        try? files.removeItem(atPath: draft)
        guard files.createFile(atPath: draft, contents: nil, attributes: [.posixPermissions: 0o600]),
            let file = FileHandle(forWritingAtPath: draft)
        else { throw CocoaError(.fileWriteUnknown) }
        defer { try? files.removeItem(atPath: draft) }
        try file.write(contentsOf: bytes)
        try file.close()
        try makeDurable(draft)
        // A link and not a renaming, which would replace what another process has put there meanwhile.
        do { try files.linkItem(atPath: draft, toPath: path) } catch CocoaError.fileWriteFileExists {
            throw KeyFileError.exists(path: path)
        }
        try makeDurable(directory)
    }

    /// A key for one purpose (RFC 5869), so that no purpose weakens another.
    package func derived(_ purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: key, info: Array("roost/\(purpose)".utf8), outputByteCount: 32)
    }

    package var description: String { "ServerKey" }
}
