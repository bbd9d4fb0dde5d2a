package import RoostSchema

/// The built-in collection of edits of one row by people who had not seen each other's, of different fields: both stand.
///
/// There is nothing to decide. Whoever sees all the fields concerned in full can see that the row as a whole was in
/// nobody's sight: a school set by one and a term set by another who still saw the old school.
package enum ParallelEdit {
    package static let collection: CollectionName = "parallel_edit"

    /// The declaration, which ``Catalogue/withConflicts(about:)`` adds; nobody writes its rows but the server.
    static func declaration(about subject: CollectionName) -> RoostSchema.Collection {
        let sides = [("earlier", "先改", "Earlier"), ("later", "后改", "Later")]
        return Collection(
            collection, .appendOnly, "并行修改", "Parallel edit", subject: "subject",
            fields: [
                Field("subject", .reference(subject), "对象", "Subject"),
                Field("concerned_collection", .text(max: 41), "集合", "Collection", required: true),
                Field("concerned_row", .text(max: 36), "记录", "Row", required: true),
                Field("noted_at", .instant, "记录时间", "Noted at", required: true),
            ]
                + sides.flatMap { name, zh, en in
                    [
                        Field(
                            FieldName("\(name)_fields"), .structure(max: 65_536), "\(zh)的字段", "\(en) fields",
                            required: true),
                        Field(FieldName("\(name)_stamp"), .text(max: 33), "\(zh)的时间戳", "\(en) stamp", required: true),
                        Field(FieldName("\(name)_author"), .text(max: 36), "\(zh)者", "\(en) author"),
                        Field(FieldName("\(name)_device"), .text(max: 60), "\(zh)者的设备", "\(en) device"),
                    ]
                })
    }

    package enum Position {
        package static let subject = 0
        package static let collection = 1
        package static let row = 2
        package static let notedAt = 3
        /// Where what is said of one of the two edits begins: its fields, stamp, author and device.
        package static let earlier = 4
        package static let later = 8
        package static let stamp = 1
        package static let author = 2
        package static let device = 3
    }

    /// One identity for each pair of edits of a row.
    package static func id(of row: RowID, _ earlier: Stamp, _ later: Stamp) -> RowID {
        RowID(naming: "parallel_edit", "\(row) \(earlier) \(later)")
    }

    /// The names of the fields that either edit set and that stood then.
    static func fields(_ row: Row) -> [String] {
        [Position.earlier, Position.later].flatMap { row.values[$0].list ?? [] }.compactMap(\.text)
    }
}

/// What stands of one of the two edits.
struct StandingEdit {
    let stamp: Stamp
    let fields: [String]
}

extension Row {
    /// The fields that people set, with the stamps under which they hold what they hold.
    package func stamps(_ rules: Rules) -> [(field: String, stamp: Stamp)] {
        let declared = rules.catalogue.collections[key.collection].fields.enumerated()
        let derived = rules.isDerived[key.collection]
        return declared.filter { !derived[$0.offset] }.map { ($0.element.name.text, stamp(of: $0.offset)) }
            + unknown.map { ($0.name, $0.stamp) }
    }
}

extension DecisionRun {
    /// Notes which edits of others the author of an edit had not seen, so far as they set other fields and both stand.
    ///
    /// Only fields that the author may see in full count: what is hidden from its author no edit can have overlooked.
    func noteParallels(_ step: Step) throws {
        let mutation = step.resolved.mutation
        let key = step.resolved.key
        guard let seen = mutation.seen, mutation.action == .edit, rules.concerning[key.collection] == nil,
            let position = rules.catalogue.position(of: ParallelEdit.collection), let row = try set.row(key),
            row.version > seen
        else { return }
        let named = Set(mutation.changes.map(\.field))
        let stamps = row.stamps(rules)
        let own = stamps.filter { $0.stamp == step.resolved.stamp && named.contains($0.field) }.map(\.field)
        guard !own.isEmpty else { return }
        let held = permission.held.filter { step.beforeScopes.contains($0) }
        let unseen = try stamps.filter { field, stamp in
            guard stamp > seen, stamp.replica != decider.replica, !named.contains(field) else { return false }
            return try held.contains { try set.shows(field, of: row, in: $0.kind, .after) }
        }
        for (stamp, fields) in Dictionary(grouping: unseen, by: \.stamp).sorted(by: { $0.key < $1.key }) {
            try note(
                StandingEdit(stamp: stamp, fields: fields.map(\.field)),
                beside: StandingEdit(stamp: step.resolved.stamp, fields: own), of: row, in: position)
        }
    }

    private func note(_ other: StandingEdit, beside own: StandingEdit, of row: Row, in position: Int) throws {
        let sides = other.stamp < own.stamp ? [other, own] : [own, other]
        let key = RowKey(position, ParallelEdit.id(of: row.key.id, sides[0].stamp, sides[1].stamp))
        guard try set.row(key) == nil else { return }
        typealias Position = ParallelEdit.Position
        let declaration = rules.catalogue.collections[position]
        var values = declaration.fields.map(\.initial)
        values[Position.subject] = set.whom(row, declaration.fields[Position.subject].target)
        values[Position.collection] = .text(rules.catalogue.collections[row.key.collection].name.text)
        values[Position.row] = .text(row.key.id.description)
        values[Position.notedAt] = .integer(decider.now.value)
        let who = try authors(of: sides.map(\.stamp))
        for (start, side) in zip([Position.earlier, Position.later], sides) {
            values[start] = .list(side.fields.sorted().map { .text($0) })
            values[start + Position.stamp] = .text(side.stamp.description)
            values[start + Position.author] = who(side.stamp).author
            values[start + Position.device] = who(side.stamp).device
        }
        set.put(Row(key: key, values: values, stamp: own.stamp))
    }
}

extension WorkingSet {
    /// The scopes of the row that show all fields of both edits in full.
    func scopes(ofParallel entry: Row, _ image: Image) throws -> [ScopeKey] {
        typealias Position = ParallelEdit.Position
        guard let name = entry.values[Position.collection].text, let collection = rules.catalogue.position(of: name),
            let id = entry.values[Position.row].text.flatMap({ RowID($0) }),
            let row = try row(RowKey(collection, id), image)
        else { return [] }
        let fields = ParallelEdit.fields(entry)
        return try scopes(of: row, image).filter { scope in
            try fields.allSatisfy { try shows($0, of: row, in: scope.kind, image) }
        }
    }
}
