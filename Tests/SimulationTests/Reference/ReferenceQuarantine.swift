/// Edits that a person must decide on, each a row of its own.
extension ReferenceModel {
    mutating func setAside(
        _ edit: PlainEdit, _ changes: [(field: String, value: Plain)], _ reason: String, unit: String, stamp: Dated,
        incarnation: Int64? = nil, _ push: PlainPush
    ) {
        let place = Place(kind: "quarantine", id: edit.asideID)
        guard rows[place] == nil else { return }
        let concerned = edit.place
        let about = rows[concerned] ?? Self.proposal(changes, concerned.kind)
        var values: [String: Plain] = [
            "concerned_collection": .text(concerned.kind), "concerned_row": .text(concerned.id),
            "action": .text(reason == "masked" ? "edit" : edit.action.rawValue),
            "proposed_values": .list(changes.map { .list([.text($0.field), $0.value]) }),
            "author": officers[push.replica].map { .text($0) } ?? .nothing,
            "made_at": .number(Int64(corrected(edit, push) >> 16)), "set_aside_at": .number(push.now),
            "unit": .text("\(Self.digits(push.replica)) \(incarnation ?? push.incarnation) \(unit)"),
            "place": .number(edit.number), "reason": .text(reason), "state": .text("pending"), "subject": .nothing,
        ]
        values["subject"] = subject(of: concerned, about)
        note(values, in: place, stamp)
        note("set aside \(reason)")
    }

    /// Whom an edit of a row is about.
    private func subject(of concerned: Place, _ row: Record) -> Plain {
        switch concerned.kind {
        case "student": .text(concerned.id)
        case "conflict", "quarantine": row.value("subject")
        case let kind where Rulebook.hasSubject(kind): row.value("student")
        default: .nothing
        }
    }

    /// What was set aside about a row before it was there says whom it is about once it is.
    mutating func meetNewRows() {
        for (place, entry) in rows where place.kind == "quarantine" && entry.value("subject") == .nothing {
            guard let concerned = Self.setAside(entry)?.concerned, let row = rows[concerned] else { continue }
            let about = subject(of: concerned, row)
            rows[place]?.cells["subject"]?.value = about
            accepted.removeAll { $0.place == place && $0.field == "subject" }
        }
    }

    /// Takes refused edits that their author's device may not keep, once each, and answers with those that must be taken.
    ///
    /// `stamped` tells the stamp under which the server keeps one; nil if it does not.
    mutating func surrender(_ push: PlainPush, stamped: (Place) -> Dated?) -> Set<String> {
        var safe: Set<String> = []
        for (incarnation, edit) in push.surrendered {
            let known = incarnations[push.replica] ?? 1
            let current = max(known, push.incarnation)
            let last = current > known ? 0 : lastNumber[push.replica] ?? 0
            guard incarnation < current || incarnation == current && edit.number <= last else { continue }
            safe.insert("\(incarnation).\(edit.number)")
            let place = Place(kind: "quarantine", id: edit.asideID)
            guard rows[place] == nil, let stamp = stamped(place) else { continue }
            let unit = edit.group.map { "g\($0)" } ?? "\(edit.number)"
            setAside(edit, edit.changes, "left_scope", unit: unit, stamp: stamp, incarnation: incarnation, push)
            previous[stamp.by] = max(previous[stamp.by] ?? 0, stamp.time)
        }
        return safe
    }

    /// The row that a creation set aside would have made, as far as anybody's sight of it goes.
    static func proposal(_ changes: [(field: String, value: Plain)], _ kind: String) -> Record {
        let stamp = Dated(time: 0, by: 0)
        var record = Record(
            cells: Rulebook.initial(kind).mapValues { Record.Cell(value: $0, stamp: stamp) }, deletion: stamp)
        for change in changes { record.cells[change.field] = Record.Cell(value: change.value, stamp: stamp) }
        return record
    }

    /// What an edit set aside is about, and what it would set.
    static func setAside(_ row: Record) -> (concerned: Place, changes: [(field: String, value: Plain)])? {
        guard let kind = row.id("concerned_collection"), let id = row.id("concerned_row"),
            case .list(let members) = row.value("proposed_values")
        else { return nil }
        let changes: [(field: String, value: Plain)] = members.compactMap { member in
            guard case .list(let pair) = member, pair.count == 2, let field = pair[0].text else { return nil }
            return (field, pair[1])
        }
        return (Place(kind: kind, id: id), changes)
    }

    /// Wherever people are shown or edited, by those who may read all that the edit would set.
    func scopes(ofSetAside row: Record) -> Set<String> {
        guard let (concerned, changes) = Self.setAside(row) else { return [] }
        let isCreation = row.value("action") == .text("create")
        guard let about = rows[concerned] ?? (isCreation ? Self.proposal(changes, concerned.kind) : nil) else {
            return []
        }
        return scopes(of: concerned, about).filter { scope in
            scope != "commons" && !scope.hasPrefix("office")
                && changes.allSatisfy { sight(of: $0.field, concerned, about, in: scope) == .full }
        }
    }

    /// Whether somebody with a role may decide about an edit set aside: who makes such edits in general.
    func maySettle(_ row: Record, _ role: String) -> Bool {
        guard let (concerned, changes) = Self.setAside(row), let action = row.id("action") else { return false }
        let isCreation = action == "create"
        let isEdit = action == "edit"
        switch (role, concerned.kind) {
        case ("registrar", "student"), ("registrar", "membership"), ("registrar", "liaison"),
            ("registrar", "appointment"):
            return true
        case ("registrar", "officer"), ("registrar", "chapter"): return isCreation || isEdit
        case (_, "touch"): return isCreation
        case ("liaison", "student"), ("liaison", "membership"): return isCreation || isEdit
        case ("liaison", "liaison"): return isCreation
        case ("coordinator", "student"):
            return (isCreation || isEdit) && changes.allSatisfy { Rulebook.group("student", $0.field) != "inner" }
        case ("coordinator", "membership"): return true
        default: return false
        }
    }
}
