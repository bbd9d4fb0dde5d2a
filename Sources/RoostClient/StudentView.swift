package import RoostSchema
package import RoostStore
import RoostModel
import RoostSync

/// How students are laid out for people and for programs.
package struct StudentView {
    private let desk: Desk
    private let rows: RowView
    private let student: RoostSchema.Collection
    private let language: Language

    /// Fields of the list, in this order.
    private static let columns: [FieldName] = ["name", "gender", "mobile", "level", "major", "cohort", "stage"]

    package init(_ desk: Desk, language: Language) throws {
        self.desk = desk
        self.language = language
        rows = RowView(desk, language: language)
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
        return rows.text(shown, position, of: declaration)
    }

    /// Everything known of a student, as lines of label and value.
    package func page(_ shown: ShownRow) throws -> String {
        var lines = rows.page(shown, student)
        for collection in desk.catalogue.collections
        where collection.subject != nil
            && ![Conflict.collection, Quarantine.collection, ParallelEdit.collection].contains(collection.name)
        {
            for row in try desk.rows(of: collection.name, about: shown.row.key.id) {
                lines.append("")
                lines.append("── " + collection.label.text(language) + (row.isPending ? " ●" : ""))
                lines += rows.fields(row, collection, besides: collection.subject)
            }
        }
        return lines.joined(separator: "\n")
    }

    /// A student for programs.
    package func value(_ shown: ShownRow) -> Value { rows.value(shown, Programme.subject) }

    /// A student with the rows about them, for programs.
    package func whole(_ shown: ShownRow) throws -> Value {
        guard case .object(var members) = value(shown) else { return .null }
        for collection in desk.catalogue.collections where collection.subject != nil {
            let about = try desk.rows(of: collection.name, about: shown.row.key.id)
            guard !about.isEmpty else { continue }
            members.append(.init(collection.name.text, .list(about.map { rows.value($0, collection.name) })))
        }
        return .object(members)
    }
}
