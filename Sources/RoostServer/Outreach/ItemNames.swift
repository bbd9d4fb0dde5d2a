import RoostAPI
import RoostSchema
import RoostStore
import RoostSync
import RoostText

extension RosterReader {
    /// The policy, job or event that a person calls this: its row, or else its code or title, told or withdrawn.
    ///
    /// - Returns: Nil if it is none of these.
    /// - Throws: ``Refusal``: it could be more than one.
    func item(
        called text: String, among collections: [CollectionName] = ["policy", "opportunity"]
    ) throws -> RowID? {
        if let row = RowID(text) { return row }
        let key = HanFolding.matchingKey(text)
        guard !key.isEmpty else { return nil }
        let found = try collections.flatMap { collection in
            let names = ["code", "title"].compactMap { catalogue[collection]?.position(of: $0) }
            return try rows(collection, where: .always).filter { row in
                names.contains { HanFolding.matchingKey(row.values[$0].text ?? "") == key }
            }
        }
        guard found.count < 2 else {
            throw Refusal(
                .conflict, reason: "ambiguous_item",
                Label("“\(text)”对应 \(found.count) 项，请用行号。", "“\(text)” is \(found.count) items; use the row's id"))
        }
        return found.first?.key.id
    }
}
