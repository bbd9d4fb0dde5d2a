import Foundation
import RoostSchema
import RoostSync
import Testing

/// One case of a vector file: what goes in, and what must come out.
struct Vector: Sendable, CustomTestStringConvertible {
    let description: String
    let input: Value
    let expected: Value

    var testDescription: String { description }

    /// The cases of a file in `Vectors`; the same files are run by the client in Python.
    static func cases(_ file: String) -> [Vector] {
        guard let url = Bundle.module.url(forResource: file, withExtension: "json", subdirectory: "Vectors"),
            let data = try? Data(contentsOf: url), let document = try? Value(json: Array(data)),
            let cases = document["cases"]?.list
        else { return [] }
        return cases.compactMap { entry in
            guard let description = entry["description"]?.text, let input = entry["input"],
                let expected = entry["expected"]
            else { return nil }
            return Vector(description: description, input: input, expected: expected)
        }
    }

    /// Every file there is, so that none is left without a test.
    static let files = [
        "stamps", "stamp-order", "clock", "effective-time", "clock-correction", "merge", "requests", "verdicts",
        "answers", "malformed", "masks", "values",
    ]
}

extension Value {
    /// The same value with members of objects in the order of their names: JSON objects are equal whatever their order.
    var sorted: Value {
        switch self {
        case .list(let list): .list(list.map(\.sorted))
        case .object(let members):
            .object(members.map { Member($0.name, $0.value.sorted) }.sorted { $0.name < $1.name })
        default: self
        }
    }

    var members: [Member] { if case .object(let members) = self { members } else { [] } }

    func stamp(_ member: String) throws -> Stamp { try #require(self[member]?.text.flatMap { Stamp($0) }) }

    func time(_ member: String) throws -> HybridTime {
        let text = try #require(self[member]?.text)
        return HybridTime(bits: try #require(UInt64(text, radix: 16)))
    }

    func integer(_ member: String) throws -> Int64 { try #require(self[member]?.integer) }
}

extension HybridTime {
    /// As written on the wire.
    var text: String { String(Stamp(self, ReplicaID(0)).description.prefix(16)) }
}
