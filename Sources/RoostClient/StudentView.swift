package import RoostSchema
package import RoostStore
import RoostModel
import RoostSync

/// How students are laid out for people and for programs.
package struct StudentView {
    private let desk: Desk
    private let wording: Wording
    private let student: RoostSchema.Collection
    private let language: Language

    /// Fields of the list, in this order.
    private static let columns: [FieldName] = ["name", "gender", "mobile", "level", "major", "cohort", "stage"]

    package init(_ desk: Desk, language: Language) throws {
        self.desk = desk
        self.language = language
        wording = Wording(desk.replica, lists: ReferenceLists(), language: language)
        student = try desk.collection(Programme.subject)
    }

    package var headers: [String] {
        [Label("编号", "id").text(language)] + Self.columns.compactMap { student[$0]?.label.text(language) }
            + [Label("学校", "school").text(language), ""]
    }

    package func line(_ shown: ShownRow) throws -> [String] {
        var studies: ShownRow?
        if text(shown, "school").isEmpty, text(shown, "level").isEmpty {
            // The server derives where somebody studies; until it has, the newest schooling tells.
            studies = try desk.rows(of: "schooling", about: shown.row.key.id).max { $0.row.key.id < $1.row.key.id }
        }
        let cells = Self.columns.map { field in
            let own = text(shown, field)
            return own.isEmpty ? studies.map { text($0, field, in: "schooling") } ?? "" : own
        }
        let school =
            studies.map { row in
                let listed = text(row, "school", in: "schooling")
                return listed.isEmpty ? text(row, "school_name", in: "schooling") : listed
            } ?? text(shown, "school")
        return [shown.row.key.id.description] + cells + [school, shown.isPending ? "●" : ""]
    }

    private func text(_ shown: ShownRow, _ name: FieldName, in collection: CollectionName = Programme.subject) -> String
    {
        guard let declaration = desk.catalogue[collection], let position = declaration.position(of: name) else {
            return ""
        }
        return wording.text(shown.row.values[position], of: declaration.fields[position])
    }

    /// Everything known of a student, as lines of label and value.
    package func page(_ shown: ShownRow) throws -> String {
        var lines = [shown.row.key.id.description]
        if shown.row.isDeleted { lines.append(Label("（已删除）", "(deleted)").text(language)) }
        if shown.isPending { lines.append(Label("● 有修改待同步", "● edits wait to be synchronised").text(language)) }
        lines += fields(shown, student)
        for collection in desk.catalogue.collections
        where collection.subject != nil
            && ![Conflict.collection, Quarantine.collection].contains(collection.name)
        {
            for row in try desk.rows(of: collection.name, about: shown.row.key.id) {
                lines.append("")
                lines.append("── " + collection.label.text(language) + (row.isPending ? " ●" : ""))
                lines += fields(row, collection)
            }
        }
        return lines.joined(separator: "\n")
    }

    private func fields(_ shown: ShownRow, _ collection: RoostSchema.Collection) -> [String] {
        collection.fields.enumerated().compactMap { position, field in
            let value = shown.row.values[position]
            guard !value.isNull, field.name != collection.subject else { return nil }
            let veil = shown.masked.contains(position) ? Label("（遮盖）", " (masked)").text(language) : ""
            let colon = language == .zh ? "：" : ": "
            return field.label.text(language) + colon + wording.text(value, of: field) + veil
        }
    }

    /// A row for programs: stored values by field name, with what is masked and whether something is pending.
    package func value(_ shown: ShownRow, _ collection: CollectionName) -> Value {
        let fields = desk.catalogue[collection]?.fields ?? []
        var members: [Value.Member] = []
        for (position, field) in fields.enumerated() where !shown.row.values[position].isNull {
            members.append(.init(field.name.text, shown.row.values[position]))
        }
        for field in shown.row.unknown { members.append(.init(field.name, field.value)) }
        return .object([
            .init("id", .id(shown.row.key.id)), .init("deleted", .boolean(shown.row.isDeleted)),
            .init("pending", .boolean(shown.isPending)),
            .init("masked", .list(shown.masked.sorted().map { .text(fields[$0].name.text) })),
            .init("fields", .object(members)),
        ])
    }

    /// A student with the rows about them, for programs.
    package func whole(_ shown: ShownRow) throws -> Value {
        guard case .object(var members) = value(shown, Programme.subject) else { return .null }
        for collection in desk.catalogue.collections where collection.subject != nil {
            let rows = try desk.rows(of: collection.name, about: shown.row.key.id)
            guard !rows.isEmpty else { continue }
            members.append(.init(collection.name.text, .list(rows.map { value($0, collection.name) })))
        }
        return .object(members)
    }
}
