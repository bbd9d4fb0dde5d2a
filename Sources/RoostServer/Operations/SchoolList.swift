import RoostModel
import RoostReference
import RoostSchema
package import RoostStore
import RoostSync

/// The institutions that ship in the binary, as rows.
package enum SchoolList {
    /// A creation for each institution: named by its code, or by its name where it has none.
    package static func edits() -> [TrustedEdit] {
        var aliases: [String: [String]] = [:]
        for line in unsafe table(roost_reference_school_aliases()) where line.count > 1 {
            aliases[line[1], default: []].append(line[0])
        }
        var edits: [RowID: TrustedEdit] = [:]
        for line in unsafe table(roost_reference_schools()) where line.count > 5 {
            let (code, name, level) = (line[0], line[1], line[4])
            let row = Programme.schoolRow(code: code, name: name)
            edits[row] = TrustedEdit(
                "school", row, .create,
                clean([
                    "code": text(code), "name": text(name), "department": text(line[2]), "city": text(line[3]),
                    "kind": .text(kind(level: level, department: line[2])), "region": .text(region(line[2], line[3])),
                    "province": text(code.count >= 4 ? String(code.dropFirst(2).prefix(2)) : ""),
                    "dfc_since": Int64(line[5]).map { .integer($0) } ?? .null, "aliases": tags(aliases[name] ?? []),
                ]))
        }
        for line in unsafe table(roost_reference_senior_schools()) where line.count > 2 {
            let row = Programme.schoolRow(code: "", name: line[0])
            edits[row] = TrustedEdit(
                "school", row, .create,
                clean([
                    "name": text(line[0]), "kind": .text(line[1] == "高中" ? "senior" : "vocational"),
                    "region": "CN", "div": .text(Programme.homeDivision),
                    "aliases": tags(line[2].split(separator: "|").map(String.init)),
                ]))
        }
        return edits.values.sorted { $0.row < $1.row }
    }

    private static func text(_ text: String) -> Value { text.isEmpty ? .null : .text(text) }
    private static func tags(_ words: [String]) -> Value { words.isEmpty ? .null : .list(words.map { .text($0) }) }
    private static func clean(_ fields: [FieldName: Value]) -> [FieldName: Value] {
        fields.filter { !$0.value.isNull }
    }

    private static func kind(level: String, department: String) -> String {
        if region(department, "") != "CN" { return "university" }
        return level == "专科" ? "college" : "university"
    }

    /// Where an institution is, which decides whether data about its students crosses a border.
    private static func region(_ department: String, _ city: String) -> String {
        let place = department + city
        return place.contains("香港") ? "HK" : place.contains("澳门") ? "MO" : "CN"
    }

    /// The lines of a shipped list after its header; the lists quote nothing, which a test holds them to.
    private static func table(_ list: roost_reference_list) -> [[String]] {
        let bytes = unsafe UnsafeBufferPointer(start: list.bytes, count: list.count)
        return unsafe String(decoding: bytes, as: UTF8.self)
            .split(whereSeparator: \.isNewline).dropFirst()
            .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
    }
}
