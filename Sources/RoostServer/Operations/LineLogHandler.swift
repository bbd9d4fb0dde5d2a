import Foundation
package import Logging
import RoostSync

/// Writes each event as one line: JSON for machines, `key=value` for people.
package struct LineLogHandler: LogHandler {
    package enum Format: String, CaseIterable, Sendable {
        case json
        case text
    }

    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    private let format: Format
    private let write: @Sendable (String) -> Void

    /// Makes a handler whose lines go to `write`, each without its end.
    package init(level: Logger.Level, format: Format, write: @escaping @Sendable (String) -> Void) {
        logLevel = level
        self.format = format
        self.write = write
    }

    /// A handler that writes to the standard error stream.
    package static func standardError(level: Logger.Level, format: Format) -> LineLogHandler {
        LineLogHandler(level: level, format: format) { line in
            FileHandle.standardError.write(Data((line + "\n").utf8))
        }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var facts: [(String, String)] = [
            ("at", Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))),
            ("level", event.level.rawValue), ("message", event.message.description),
        ]
        let merged = metadata.merging(event.metadata ?? [:]) { _, new in new }
        facts += merged.map { ($0.key, $0.value.description) }.sorted { $0.0 < $1.0 }
        if let error = event.error { facts.append(("error", String(reflecting: type(of: error)))) }
        switch format {
        case .json: write(json(facts))
        case .text: write(facts.map { "\($0.0)=\(quoted($0.1))" }.joined(separator: " "))
        }
    }

    private func json(_ facts: [(String, String)]) -> String {
        let bytes = jsonObject { writer in
            for (name, value) in facts {
                writer.name(escaping: name)
                writer.string(value)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A value as it stands if it is one word, else as a JSON string, so that a line stays one line.
    private func quoted(_ value: String) -> String {
        let isWord = !value.isEmpty && value.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 != 0x3D && $0 != 0x7F }
        if isWord { return value }
        var writer = JSONWriter(reserving: value.utf8.count + 2)
        writer.string(value)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
