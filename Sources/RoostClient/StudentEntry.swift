package import RoostSchema
package import RoostStore
import RoostModel
import RoostSheets
import RoostSync
import RoostText

/// Adds and edits students from `field=value` as people type it.
package struct StudentEntry {
    private let desk: Desk
    private let lists = ReferenceLists()

    /// Where a field is looked for: on the student first, then on what belongs to a student.
    private let places: [CollectionName]

    package init(_ desk: Desk) {
        self.desk = desk
        places = [Programme.subject, "schooling", "guardian", "membership", "consent"]
    }

    /// Queues a new student with what belongs to them.
    package func add(_ assignments: [String], chapter: String?) throws -> (row: RowID, note: EditNote) {
        var note = EditNote()
        let grouped = try Assignments(desk, in: places).values(assignments, noting: &note)
        note.alike = try alike(grouped[Programme.subject] ?? [:])
        var parts: [Desk.Part] = []
        for place in places.dropFirst() {
            guard let values = grouped[place] else { continue }
            parts.append(Desk.Part(place, values))
        }
        var target: RowID?
        if let chapter {
            let field = desk.catalogue["membership"]?["chapter"]
            let directory = try lists.directory(desk.replica, for: [field].compactMap(\.self))
            target = RowID(chapter) ?? directory.collections["chapter"]?.value(for: chapter)?.id
            guard target != nil else { throw ClientError.noSuchRow(chapter) }
        }
        return (try desk.add(grouped[Programme.subject] ?? [:], parts: parts, chapter: target), note)
    }

    /// Who is called the same, and differs in nothing else that both are known by.
    private func alike(_ values: [FieldName: Value]) throws -> [RowID] {
        guard let name = values["name"]?.text, let declaration = desk.catalogue[Programme.subject] else { return [] }
        let key = HanFolding.matchingKey(name)
        return try desk.students([name]).filter { shown in
            func told(_ field: FieldName) -> Value {
                declaration.position(of: field).map { shown.row.values[$0] } ?? .null
            }
            guard told("name").text.map(HanFolding.matchingKey) == key else { return false }
            return ["birth", "mobile"].allSatisfy { (field: FieldName) in
                let (mine, theirs) = (values[field] ?? .null, told(field))
                guard let mine = mine.text, let theirs = theirs.text, !theirs.contains("*") else { return true }
                // A date may be known to the year, the month or the day.
                return mine.hasPrefix(theirs) || theirs.hasPrefix(mine)
            }
        }.map(\.row.key.id)
    }

    /// Queues an edit of a student, and of the one row of another collection that a field belongs to.
    package func edit(_ shown: ShownRow, _ assignments: [String]) throws -> EditNote {
        var note = EditNote()
        let grouped = try Assignments(desk, in: places).values(assignments, noting: &note)
        let scopes = try desk.scopes()
        let writable = try desk.writable()
        var edits: [Edit] = []
        for place in places {
            guard let values = grouped[place] else { continue }
            let declaration = try desk.collection(place)
            let check = EditCheck(desk.replica.rules, declaration)
            let existing = place == Programme.subject ? shown : try current(of: declaration, about: shown)
            if let existing, declaration.syncClass != .appendOnly {
                let (changes, noted) = try check.changes(values, of: existing, in: scopes)
                note.masked += noted.masked
                note.notTheirs += writable.beyond(changes, of: declaration)
                if !changes.isEmpty { edits.append(Edit(place, existing.row.key.id, .edit, changes)) }
            } else {
                var values = values
                if let subject = declaration.subject { values[subject] = .id(shown.row.key.id) }
                if !writable.creates(place, values) { note.notTheirs.append(declaration.label) }
                edits.append(Edit(place, desk.environment.newRow(), .create, try check.creation(values)))
            }
        }
        guard !edits.isEmpty else { throw ClientError.nothingToChange }
        try desk.replica.queue(edits, grouped: edits.count > 1, at: desk.environment.moment)
        return note
    }

    /// The row of a collection about a student that an edit means: the one from which the student's derived fields come, as
    /// it says what holds today; else the one created last, as identities of version 7 order by time.
    private func current(of collection: RoostSchema.Collection, about student: ShownRow) throws -> ShownRow? {
        let rows = try desk.rows(of: collection.name, about: student.row.key.id)
        for field in try desk.collection(Programme.subject).fields {
            guard case .latest(collection.name, _, let condition, let order, _) = field.derivation,
                let latest = collection.latest(of: rows.map(\.row), when: condition, order: order)
            else { continue }
            return rows.first { $0.row.key == latest.key }
        }
        return rows.max { $0.row.key.id < $1.row.key.id }
    }
}
