import RoostSchema
import RoostModel
import RoostSheets
import RoostStore
import RoostSync

/// What people type as `field=value`, read into values by collection.
///
/// A reference is written as a name in the lists of this device, as a search that finds one student, as an id, or as
/// `me` for the officer whose device it is.
struct Assignments {
    private let desk: Desk
    private let places: [CollectionName]
    private let lists = ReferenceLists()

    /// Fields are looked for in the collections of `places`, in this order.
    init(_ desk: Desk, in places: [CollectionName]) {
        self.desk = desk
        self.places = places
    }

    func values(_ assignments: [String]) throws -> [CollectionName: [FieldName: Value]] {
        var note = EditNote()
        return try values(assignments, noting: &note)
    }

    /// Notes the names that are in no list and are kept as written.
    func values(
        _ assignments: [String], noting note: inout EditNote
    ) throws -> [CollectionName: [FieldName: Value]] {
        let plain = FieldWords(catalogue: desk.catalogue, directory: NameDirectory())
        let fields = assignments.compactMap { plain.field(of: $0, in: places) }
        let directory = try lists.directory(desk.replica, for: fields)
        let words = FieldWords(catalogue: desk.catalogue, directory: directory)
        var grouped: [CollectionName: [FieldName: Value]] = [:]
        for text in assignments {
            let assignment = try words.assignment(text, in: places)
            let field = assignment.field
            switch assignment.value {
            case .blank: grouped[assignment.collection, default: [:]][field.name] = .null
            case .value(let value): grouped[assignment.collection, default: [:]][field.name] = value
            // Compared with the mask the person sees; anything else with a star is no number.
            case .masked(let text): grouped[assignment.collection, default: [:]][field.name] = .text(text)
            case .unresolved(let words):
                if let row = try reference(words, of: field) {
                    grouped[assignment.collection, default: [:]][field.name] = .id(row)
                } else if let fallback = Self.fallback(field.name, in: assignment.collection) {
                    note.unlisted.append(words)
                    grouped[assignment.collection, default: [:]][fallback] = .text(words)
                } else {
                    throw ClientError.unknownName(field.label, words: words)
                }
            }
        }
        return grouped
    }

    /// The row that words mean beyond the names in the lists.
    private func reference(_ words: String, of field: Field) throws -> RowID? {
        let authority = desk.catalogue.authority
        if field.target == Programme.subject { return try desk.student(words).row.key.id }
        let officers = desk.catalogue[authority.collection]?[authority.officer]?.target
        return field.target == officers && ["me", "我", "本人"].contains(words) ? desk.enrolled.officer : nil
    }

    /// Where words that are in no list are kept: the same place as an import keeps them.
    private static func fallback(_ field: FieldName, in collection: CollectionName) -> FieldName? {
        for template in SheetTemplates.all {
            for part in template.parts where part.collection == collection {
                if let fallback = part.unresolved[field] { return fallback }
            }
        }
        return nil
    }
}
