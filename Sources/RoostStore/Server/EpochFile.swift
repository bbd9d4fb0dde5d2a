import Foundation
package import RoostSync

/// What is kept beside the database: its epoch, and a sequence that it is known to have reached.
///
/// A database that was put back from a copy differs from what stands here. The file has one line for each.
package struct EpochFile: Hashable, Sendable {
    package let epoch: String
    package let highWater: ServerSequence

    package static let name = "epoch"
    /// The epoch that stands beside a restored backup until the server begins a new one.
    static let restoring = "restoring"

    package init(epoch: String, highWater: ServerSequence) {
        self.epoch = epoch
        self.highWater = highWater
    }

    /// Reads the file of a directory; nil if there is none.
    package init?(in directory: String) {
        guard let text = try? String(contentsOfFile: directory + "/" + Self.name, encoding: .utf8) else { return nil }
        let lines = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
        epoch = lines.first ?? ""
        highWater = ServerSequence(lines.dropFirst().first.flatMap { Int64($0) } ?? 0)
    }

    func write(in directory: String) throws {
        let path = directory + "/" + Self.name
        try Data("\(epoch)\n\(highWater)\n".utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        try makeDurable(path)
        try makeDurable(directory)
    }
}
