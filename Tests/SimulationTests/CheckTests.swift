import Foundation
import Testing

@Suite struct CheckTests {
    /// The words in backticks of the table's cells.
    private static func named(_ cell: Substring) -> [String] {
        cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .compactMap { $0.offset % 2 == 1 ? String($0.element) : nil }
    }

    @Test func `the table of checks names every check, and no test that does not exist`() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        let table = try String(
            contentsOf: folder.appending(path: "Documentation.docc/Checks.md"), encoding: .utf8)
        let tests = folder.deletingLastPathComponent()
        var sources = ""
        let files = try #require(FileManager.default.enumerator(at: tests, includingPropertiesForKeys: nil))
        for case let file as URL in files where file.pathExtension == "swift" {
            sources += try String(contentsOf: file, encoding: .utf8)
        }
        var checks: Set<String> = []
        for row in table.split(separator: "\n") where row.first == "|" && (row.dropFirst(2).first?.isNumber ?? false) {
            for name in row.split(separator: "|").dropFirst().flatMap({ Self.named($0) }) {
                if name.contains(" ") {
                    #expect(sources.contains("func `\(name)`"), "there is no test `\(name)`")
                } else {
                    checks.insert(name)
                }
            }
        }
        #expect(checks.subtracting(Check.allCases.map { "\($0)" }) == [])
        // That what is sent can be read is no promise of its own.
        #expect(Set(Check.allCases.map { "\($0)" }).subtracting(checks) == ["codec"])
    }
}
