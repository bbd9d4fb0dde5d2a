package import RoostSchema
package import RoostStore
import RoostModel
import RoostSheets
import RoostSync
import RoostText

/// A person's work on their replica: looking things up and queueing edits, all offline.
package struct Desk {
    package let replica: Replica
    package let enrolled: Enrolled
    package let environment: Environment
    /// The lease, if it has run out: contact details are locked then.
    package let endedLease: Lease?

    package init(_ replica: Replica, environment: Environment) throws {
        self.replica = replica
        self.environment = environment
        endedLease = try replica.observeLease(at: environment.moment)
        try replica.noteClocks(at: environment.moment)
        enrolled = try replica.enrolled()
    }

    package var catalogue: Catalogue { replica.rules.catalogue }

    /// The officer's grants in force, as synchronised; before the first synchronisation the roles told at enrolment.
    package func grants() throws -> [HeldGrant] {
        let authority = catalogue.authority
        guard let collection = catalogue[authority.collection],
            let officer = collection.position(of: authority.officer),
            let role = collection.position(of: authority.role), let target = collection.position(of: authority.target)
        else { return [] }
        let rows = try replica.rows(of: authority.collection).map(\.row.values).filter {
            $0[officer].id == enrolled.officer && authority.when.holds(in: collection, $0)
        }
        let held = rows.compactMap { values in
            values[role].text.map { HeldGrant(role: RoleName($0), target: values[target].id) }
        }
        return held.isEmpty ? enrolled.roles.map { HeldGrant(role: $0, target: nil) } : held
    }

    /// What these grants let the officer write.
    func writable() throws -> Writable {
        Writable(catalogue: catalogue, officer: enrolled.officer, grants: try grants())
    }

    /// - Throws: ``ClientError/leaseOver(days:)`` where what is locked would be needed.
    func requireLease() throws(ClientError) {
        if let endedLease { throw .leaseOver(days: endedLease.days) }
    }

    // MARK: Finding

    package func collection(_ name: CollectionName) throws(ClientError) -> RoostSchema.Collection {
        guard let collection = catalogue[name] else { throw .noSuchRow(name.text) }
        return collection
    }

    /// Rows that match what a person typed.
    package func students(_ words: [String], deleted: Bool = false, limit: Int? = nil) throws -> [ShownRow] {
        try replica.rows(
            of: Programme.subject, matching: try RosterSearch(replica).terms(words), deleted: deleted, limit: limit)
    }

    /// The one row an id, the beginning of an id or a search means.
    package func student(_ text: String, deleted: Bool = false) throws -> ShownRow {
        if let id = RowID(text) {
            guard let row = try replica.row(Programme.subject, id) else { throw ClientError.noSuchRow(text) }
            return row
        }
        let found = try students([text], deleted: deleted, limit: 50)
        if found.count == 1 { return found[0] }
        let exact = found.filter { row in
            catalogue[Programme.subject]?.position(of: FieldName("name")).flatMap { row.row.values[$0].text }
                == Cleaning.personName(text)
        }
        if exact.count == 1 { return exact[0] }
        if found.isEmpty {
            // Ids begin with the moment they were made, so a short beginning says nothing.
            let beginning = text.lowercased()
            let begun =
                beginning.count < 8
                ? []
                : try students([], deleted: deleted).filter {
                    $0.row.key.id.description.hasPrefix(beginning)
                }
            guard let row = begun.first else { throw ClientError.noSuchRow(text) }
            guard begun.count == 1 else { throw ClientError.ambiguousRow(text, matches: begun.count) }
            return row
        }
        throw ClientError.ambiguousRow(text, matches: found.count)
    }

    /// The collection a person means, by its name or label.
    package func collection(called words: String) throws(ClientError) -> RoostSchema.Collection {
        let key = HanFolding.matchingKey(words)
        let found = catalogue.collections.first { collection in
            collection.name.text == words || HanFolding.matchingKey(collection.label.zh) == key
                || HanFolding.matchingKey(collection.label.en) == key
        }
        guard let found else { throw .unknownCollection(words, known: catalogue.collections.map(\.label)) }
        return found
    }

    /// The one row of a collection that an id, the beginning of an id, or a name means.
    package func row(
        of collection: RoostSchema.Collection, _ text: String, deleted: Bool = false
    ) throws -> ShownRow {
        if collection.name == Programme.subject { return try student(text, deleted: deleted) }
        if let id = RowID(text) {
            guard let row = try replica.row(collection.name, id) else { throw ClientError.noSuchRow(text) }
            return row
        }
        let key = HanFolding.matchingKey(text)
        let names = ["name", "title", "code"].compactMap { collection.position(of: FieldName($0)) }
        let rows = try replica.rows(of: collection.name, deleted: deleted)
        let found = rows.filter { shown in
            names.contains { HanFolding.matchingKey(shown.row.values[$0].text ?? "") == key }
                // Ids begin with the moment they were made, so a short beginning says nothing.
                || (text.utf8.count >= 8 && shown.row.key.id.description.hasPrefix(text.lowercased()))
        }
        guard let row = found.first else { throw ClientError.noSuchRow(text) }
        guard found.count == 1 else { throw ClientError.ambiguousEntry(text, matches: found.count) }
        return row
    }

    /// Rows of a collection about a student, with the values typed as `field=value`.
    package func rows(
        of collection: RoostSchema.Collection, about student: ShownRow?, where typed: [String], deleted: Bool,
        limit: Int?
    ) throws -> [ShownRow] {
        let values = try Assignments(self, in: [collection.name]).values(typed)[collection.name] ?? [:]
        // To be found by it would tell what is locked.
        if endedLease != nil, let locked = collection.leased.first(where: { values[collection.fields[$0].name] != nil })
        {
            throw ClientError.lockedField(collection.fields[locked].label)
        }
        var condition = values.map { Condition.field($0, is: $1) }
        if let student {
            guard let subject = collection.subject else { return [] }
            condition.append(.field(subject, is: .id(student.row.key.id)))
        }
        return try replica.rows(of: collection.name, where: .all(condition), deleted: deleted, limit: limit)
    }

    /// Rows of a collection that are about a row.
    package func rows(of collection: CollectionName, about subject: RowID) throws -> [ShownRow] {
        guard let field = catalogue[collection]?.subject else { return [] }
        return try replica.rows(of: collection, where: .field(field, is: .id(subject)))
    }

    // MARK: Editing

    /// Checks and queues an edit of a row.
    package func edit(_ collection: CollectionName, _ shown: ShownRow, _ values: [FieldName: Value]) throws -> EditNote
    {
        let declaration = try self.collection(collection)
        let check = EditCheck(replica.rules, declaration)
        var (changes, note) = try check.changes(values, of: shown, in: try scopes())
        guard !changes.isEmpty else { throw ClientError.nothingToChange }
        note.notTheirs = try writable().beyond(changes, of: declaration)
        try replica.queue(
            [Edit(collection, shown.row.key.id, .edit, changes)], grouped: false, at: environment.moment)
        return note
    }

    package func delete(_ collection: CollectionName, _ shown: ShownRow) throws {
        guard !shown.row.isDeleted else { throw ClientError.nothingToChange }
        try replica.queue(
            [Edit(collection, shown.row.key.id, .delete)], grouped: false, at: environment.moment)
    }

    package func restore(_ collection: CollectionName, _ shown: ShownRow) throws {
        guard shown.row.isDeleted else { throw ClientError.nothingToChange }
        try replica.queue(
            [Edit(collection, shown.row.key.id, .restore)], grouped: false, at: environment.moment)
    }

    /// A row to be created beside a new student.
    package struct Part: Hashable, Sendable {
        package let collection: CollectionName
        package var values: [FieldName: Value]

        package init(_ collection: CollectionName, _ values: [FieldName: Value]) {
            self.collection = collection
            self.values = values
        }
    }

    /// Checks and queues a new student with what belongs to them, as one group.
    ///
    /// For whoever coordinates several chapters, `chapter` says which of them the student joins.
    @discardableResult
    package func add(_ student: [FieldName: Value], parts: [Part] = [], chapter: RowID? = nil) throws -> RowID {
        let row = environment.newRow()
        let edits = try newStudent(row, student, parts: parts, chapter: chapter)
        try replica.queue(edits, grouped: true, at: environment.moment)
        return row
    }

    /// The group of edits that makes a new student.
    func newStudent(
        _ row: RowID, _ student: [FieldName: Value], parts: [Part], chapter: RowID?
    ) throws -> [Edit] {
        let newcomer = NewSubject(catalogue: catalogue, officer: enrolled.officer, grants: try grants())
        guard let companions = newcomer.companions(of: row, in: Programme.subject, for: chapter) else {
            throw ClientError.cannotCreate
        }
        var edits = [try creation(Part(Programme.subject, student), row: row)]
        var parts = parts
        for companion in companions {
            // A part given by hand, such as a membership with a role, takes the place of the plain link.
            if let index = parts.firstIndex(where: { $0.collection == companion.collection }) {
                parts[index].values.merge(companion.values) { own, _ in own }
            } else {
                parts.append(Part(companion.collection, companion.values))
            }
        }
        for part in parts {
            var part = part
            if let subject = catalogue[part.collection]?.subject { part.values[subject] = .id(row) }
            edits.append(try creation(part, row: environment.newRow()))
        }
        return edits
    }

    private func creation(_ part: Part, row: RowID) throws -> Edit {
        let declaration = try collection(part.collection)
        let changes = try EditCheck(replica.rules, declaration).creation(part.values)
        return Edit(part.collection, row, .create, changes)
    }

    /// Kinds of the scopes held.
    package func scopes() throws -> [Scope] { try replica.status().scopes }
}
