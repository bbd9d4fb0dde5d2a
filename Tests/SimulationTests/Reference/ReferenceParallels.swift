/// Edits of one row that stand beside each other, made by people who had not seen each other's.
extension ReferenceModel {
    mutating func noteParallels(_ step: Step, _ push: PlainPush) {
        let place = step.edit.place
        guard step.edit.action == .edit, let seen = step.edit.seen, let row = rows[place],
            !["conflict", "quarantine", "parallel_edit"].contains(place.kind)
        else { return }
        let named = step.edit.changes.map(\.field)
        let own = Set(named.filter { row.cells[$0]?.stamp == step.stamp })
        let sees = held(by: officers[push.replica] ?? "", at: push.now).intersection(step.beforeScopes)
        guard !own.isEmpty else { return }
        var others: [Dated: Set<String>] = [:]
        for (field, cell) in row.cells
        where cell.stamp > seen && cell.stamp.by != push.replica && !named.contains(field)
            && sees.contains(where: { sight(of: field, place, row, in: $0) == .full })
        {
            others[cell.stamp, default: []].insert(field)
        }
        for (stamp, fields) in others {
            let sides =
                stamp < step.stamp ? [(stamp, fields), (step.stamp, own)] : [(step.stamp, own), (stamp, fields)]
            let id = Self.parallelID(of: place.id, sides[0].0, sides[1].0)
            var values: [String: Plain] = [
                "concerned_collection": .text(place.kind), "concerned_row": .text(place.id),
                "noted_at": .number(push.now), "subject": .nothing,
            ]
            if place.kind == "student" { values["subject"] = .text(place.id) }
            if Rulebook.hasSubject(place.kind) { values["subject"] = row.value("student") }
            for (name, side) in zip(["earlier", "later"], sides) {
                values["\(name)_fields"] = .list(side.1.sorted().map { .text($0) })
                values["\(name)_stamp"] = .text(Self.written(side.0))
                values["\(name)_author"] = officers[side.0.by].map { .text($0) } ?? .nothing
            }
            let entry = Place(kind: "parallel_edit", id: id)
            guard rows[entry] == nil else { continue }
            rows[entry] = Record(
                cells: values.mapValues { Record.Cell(value: $0, stamp: step.stamp) }, deletion: step.stamp)
            note("parallel edit")
        }
    }

    /// The scopes that show every field of both edits in full.
    func scopes(ofParallel row: Record) -> Set<String> {
        guard let kind = row.id("concerned_collection"), let id = row.id("concerned_row") else { return [] }
        let place = Place(kind: kind, id: id)
        guard let about = rows[place] else { return [] }
        var fields: [String] = []
        for side in ["earlier_fields", "later_fields"] {
            if case .list(let names) = row.value(side) { fields += names.compactMap(\.text) }
        }
        return scopes(of: place, about).filter { scope in
            fields.allSatisfy { sight(of: $0, place, about, in: scope) == .full }
        }
    }
}
