import Foundation
import RoostClient
import RoostSchema
import RoostSync

extension Int {
    /// The number with its English noun: `1 edit`, `2 edits`.
    func of(_ noun: String) -> String { self == 1 ? "1 \(noun)" : "\(self) \(noun)s" }
}

/// Where a command's words go: people's to a table or sentences, programs' to JSON; progress to a terminal only.
struct Output {
    let json: Bool
    let language: Language

    func text(_ zh: String, _ en: String) -> String { Label(zh, en).text(language) }

    /// Says something to people; silent with `--json`.
    func say(_ zh: String, _ en: String) {
        if !json { print(text(zh, en)) }
    }

    func say(_ text: String) {
        if !json { print(text) }
    }

    /// Says something that is no result, beside the results.
    func warn(_ zh: String, _ en: String) {
        FileHandle.standardError.write(Data((text(zh, en) + "\n").utf8))
    }

    /// The answer for programs; silent without `--json`.
    func result(_ value: Value) {
        if json { print(String(decoding: value.json, as: UTF8.self)) }
    }

    func failure(_ error: ClientError) {
        let message = error.message.text(language)
        if json {
            let members: [Value.Member] = [.init("code", .text(error.code)), .init("message", .text(message))]
            print(String(decoding: Value.object([.init("error", .object(members))]).json, as: UTF8.self))
        } else {
            FileHandle.standardError.write(Data((message + "\n").utf8))
        }
    }

    var showsProgress: Bool { !json && isatty(STDERR_FILENO) == 1 }

    /// Replaces the line of progress; nothing in a pipe.
    func progress(_ text: String) {
        guard showsProgress else { return }
        FileHandle.standardError.write(Data(("\r\u{1B}[K" + text).utf8))
    }

    func endProgress() {
        guard showsProgress else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
    }

    func table(_ headers: [String], _ rows: [[String]]) {
        guard !json else { return }
        print(Table(headers: headers, rows: rows).text)
    }
}
