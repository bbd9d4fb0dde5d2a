package import RoostSchema
package import RoostStore
import RoostSync

/// How rows of any collection are laid out for people and for programs.
package struct RowView {
    private let catalogue: Catalogue
    let wording: Wording

    package init(_ desk: Desk, language: Language) {
        catalogue = desk.catalogue
        wording = Wording(desk.replica, lists: ReferenceLists(), language: language)
    }

    /// Fields of a list: what fits a line, the first of the declaration.
    private func columns(_ collection: RoostSchema.Collection) -> [Int] {
        let short = collection.fields.indices.filter { position in
            if case .text(let max) = collection.fields[position].kind { return max <= 200 }
            return true
        }
        return Array(short.prefix(7))
    }

    package func headers(_ collection: RoostSchema.Collection) -> [String] {
        [Label("编号", "id").text(wording.language)]
            + columns(collection).map { collection.fields[$0].label.text(wording.language) } + [""]
    }

    package func line(_ shown: ShownRow, _ collection: RoostSchema.Collection) -> [String] {
        [shown.row.key.id.description]
            + columns(collection).map { text(shown, $0, of: collection) }
            + [shown.isPending ? "●" : ""]
    }

    /// One value in words.
    func text(_ shown: ShownRow, _ position: Int, of collection: RoostSchema.Collection) -> String {
        shown.locked.contains(position)
            ? wording.locked : wording.text(shown.row.values[position], of: collection.fields[position])
    }

    /// Everything known of a row, as lines of label and value.
    package func page(_ shown: ShownRow, _ collection: RoostSchema.Collection) -> [String] {
        var lines = [shown.row.key.id.description]
        if shown.row.isDeleted { lines.append(Label("（已删除）", "(deleted)").text(wording.language)) }
        if shown.isPending { lines.append(Label("● 有修改待同步", "● edits wait to be synchronised").text(wording.language)) }
        return lines + fields(shown, collection, besides: nil)
    }

    /// The fields of a row that hold something, as lines of label and value, without the one called `besides`.
    func fields(_ shown: ShownRow, _ collection: RoostSchema.Collection, besides: FieldName?) -> [String] {
        collection.fields.enumerated().compactMap { position, field in
            let value = shown.row.values[position]
            guard !value.isNull || shown.locked.contains(position), field.name != besides else { return nil }
            let veil = shown.masked.contains(position) ? Label("（遮盖）", " (masked)").text(wording.language) : ""
            let colon = wording.language == .zh ? "：" : ": "
            return field.label.text(wording.language) + colon + text(shown, position, of: collection) + veil
        }
    }

    /// A row for programs: stored values by field name, with what is masked and whether something is pending.
    package func value(_ shown: ShownRow, _ collection: CollectionName) -> Value {
        let fields = catalogue[collection]?.fields ?? []
        var members: [Value.Member] = []
        for (position, field) in fields.enumerated() where !shown.row.values[position].isNull {
            members.append(.init(field.name.text, shown.row.values[position]))
        }
        for field in shown.row.unknown { members.append(.init(field.name, field.value)) }
        return .object([
            .init("id", .id(shown.row.key.id)), .init("deleted", .boolean(shown.row.isDeleted)),
            .init("pending", .boolean(shown.isPending)),
            .init("masked", .list(shown.masked.sorted().map { .text(fields[$0].name.text) })),
            .init("locked", .list(shown.locked.sorted().map { .text(fields[$0].name.text) })),
            .init("fields", .object(members)),
        ])
    }
}
