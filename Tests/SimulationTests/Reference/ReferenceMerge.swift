/// Stamps, merging and what gives way.
extension ReferenceModel {
    struct Loss {
        let field: String
        let value: Plain
        let stamp: Dated
        let winner: Dated
        let hard: Bool
        /// Whether it is the arriving value that lost.
        let incoming: Bool
    }

    /// The base as far as the server believes it; the outer nil says that no such stamp was ever issued.
    func issuedBase(of edit: PlainEdit, _ push: PlainPush) -> Dated?? {
        guard let base = edit.base else { return .some(nil) }
        guard let last = previous[base.by] else { return nil }
        if base.by == push.replica { return Dated(time: min(base.time, last), by: base.by) }
        return base.time <= last ? .some(base) : nil
    }

    mutating func effective(_ edit: PlainEdit, base: Dated?, _ push: PlainPush) -> Dated {
        var time = corrected(edit, push)
        if let base, base.time + 1 > time {
            time = base.time + 1
            note("base outran the clock")
        }
        if let last = previous[push.replica], last + 1 > time { time = last + 1 }
        previous[push.replica] = time
        return Dated(time: time, by: push.replica)
    }

    /// When the edit was made, by the server's clock.
    func corrected(_ edit: PlainEdit, _ push: PlainPush) -> UInt64 {
        let ceiling = UInt64(push.now) << 16
        let said = Int64(edit.time >> 16)
        let counter = edit.time & 0xFFFF
        func at(_ moment: Int64) -> UInt64 { min(UInt64(max(0, moment)) << 16 | counter, ceiling) }
        if let then = edit.mark, let now = push.mark, then.boot == now.boot, then.monotonic <= now.monotonic {
            let made = push.now - (now.monotonic - then.monotonic)
            return abs(said - made) <= 2000 ? at(said) : at(made)
        }
        if let then = edit.mark, then.boot != push.mark?.boot, let zero = push.boots[then.boot] {
            let made = zero + then.monotonic
            return abs(said - made) <= 2000 ? at(said) : at(made)
        }
        let offset = push.deviceNow - push.now
        return abs(offset) <= 2000 ? at(said) : at(said - offset)
    }

    /// Puts one edit into the rows; its permission is judged later, with its group.
    mutating func apply(
        _ said: PlainEdit, stamp: Dated, base: Dated?, _ run: inout Judgement
    ) throws(Refused) -> Step {
        let edit = run.standIns.isEmpty ? said : withStandIns(said, run)
        let madeAt = Int64(corrected(said, run.push) >> 16)
        let place = edit.place
        for change in edit.changes where !knows(place.kind, change.field) && change.field == "deleted" {
            throw Refused(code: "invalid")
        }
        guard edit.action != .create else {
            return try create(edit, stamp: stamp, base: base, madeAt: madeAt, &run)
        }
        guard var record = rows[place] else {
            if wasRefused(place, run) { throw Refused(code: "depends_on") }
            let unfit = edit.changes.contains { !Rulebook.fits(place.kind, $0.field, $0.value) }
            let isEdit = edit.action == .edit && !Rulebook.isAppendOnly(place.kind)
            throw Refused(code: isEdit && unfit ? "invalid" : "out_of_scope")
        }
        let scopes = self.scopes(of: place, record)
        let held = self.held(by: run.officer, at: run.push.now)
        let sees = !scopes.isDisjoint(with: held)
        if !sees, wasRefused(place, run) { throw Refused(code: "depends_on") }
        if Rulebook.isAppendOnly(place.kind) { throw Refused(code: sees ? "append_only" : "out_of_scope") }
        var step = Step(
            edit: edit, stamp: stamp, base: base, madeAt: madeAt, before: record, beforeScopes: scopes)
        guard edit.action == .edit else {
            merge(deleted: edit.action == .delete, into: &record, &step, run)
            rows[place] = record
            return step
        }
        for change in edit.changes {
            guard knows(place.kind, change.field) else {
                step.taken.append(change)
                continue
            }
            if conceals(change.field, place, record, scopes, held, step, run) {
                let shown = Rulebook.mask(change.field, record.value(change.field))
                if shown == change.value { continue }
                if Rulebook.fits(place.kind, change.field, change.value) {
                    step.masked.append(change)
                    continue
                }
            }
            step.taken.append(change)
        }
        for change in step.taken where !Rulebook.fits(place.kind, change.field, change.value) {
            throw Refused(code: "invalid")
        }
        for change in step.taken where Rulebook.isFixed(place.kind, change.field) {
            if record.value(change.field) != change.value { throw Refused(code: sees ? "invalid" : "out_of_scope") }
        }
        for change in step.taken { merge(change.field, change.value, into: &record, &step) }
        rows[place] = record
        return step
    }

    private mutating func create(
        _ said: PlainEdit, stamp: Dated, base: Dated?, madeAt: Int64, _ run: inout Judgement
    ) throws(Refused) -> Step {
        var edit = said
        if gone.contains(said.place) || rows[said.place] != nil {
            if shows(said.place, run) { throw Refused(code: "duplicate") }
            note("identity taken out of sight")
            run.standIns[said.place] = (said.number, gone.contains(said.place) ? "gone" : "duplicate")
            edit = withStandIns(said, run)
        }
        let place = edit.place
        var values = Rulebook.initial(place.kind)
        for change in edit.changes {
            guard Rulebook.fits(place.kind, change.field, change.value) else { throw Refused(code: "invalid") }
            values[change.field] = change.value
        }
        for field in Rulebook.required(place.kind) where values[field] ?? .nothing == .nothing {
            throw Refused(code: "invalid")
        }
        if Rulebook.hasSubject(place.kind), let student = values["student"]?.text,
            rows[Place(kind: "student", id: student)] == nil
        {
            throw Refused(code: wasRefused(Place(kind: "student", id: student), run) ? "depends_on" : "out_of_scope")
        }
        rows[place] = Record(
            cells: values.mapValues { Record.Cell(value: $0, stamp: stamp) }, deletion: stamp)
        if let student = values["student"]?.text { about[student, default: []].insert(place) }
        return Step(
            edit: edit, stamp: stamp, base: base, madeAt: madeAt, before: nil, beforeScopes: [],
            taken: edit.changes)
    }

    /// Whether the replica tried in vain to create a row.
    func wasRefused(_ place: Place, _ run: Judgement) -> Bool {
        refusedCreations.contains("\(run.push.replica) \(place.kind) \(place.id)")
    }

    /// Whether a row is there and somebody sees it.
    func shows(_ place: Place, _ run: Judgement) -> Bool {
        rows[place].map { !scopes(of: place, $0).isDisjoint(with: held(by: run.officer, at: run.push.now)) } ?? false
    }

    /// An edit of rows whose identities are taken, as if they had others: what nobody sees is answered as what is not there.
    private func withStandIns(_ edit: PlainEdit, _ run: Judgement) -> PlainEdit {
        var edit = edit
        if run.standIns[edit.place] != nil {
            edit.place = Place(kind: edit.place.kind, id: "instead of " + edit.place.id)
        }
        for (index, change) in edit.changes.enumerated() where change.field == "student" {
            guard let id = change.value.text, run.standIns[Place(kind: "student", id: id)] != nil else { continue }
            edit.changes[index].value = .text("instead of " + id)
        }
        return edit
    }

    /// The later stamp stays, except that progress never goes back unless somebody who saw it reopens it.
    private mutating func merge(_ field: String, _ value: Plain, into record: inout Record, _ step: inout Step) {
        guard let current = record.cells[field] else {
            record.cells[field] = Record.Cell(value: value, stamp: step.stamp)
            return
        }
        if step.stamp.time == current.stamp.time, step.stamp.by != current.stamp.by { note("tie") }
        let saw = current.stamp.by == step.stamp.by || step.base.map { $0 >= current.stamp } ?? false
        var wins = step.stamp > current.stamp
        if let ranks = Rulebook.ranks(step.edit.place.kind, field) {
            func rank(_ value: Plain) -> Int { ranks.firstIndex(of: value.text ?? "") ?? -1 }
            if value.text == ranks[0], saw, wins {
                if rank(current.value) > 0 { note("reopened") }
            } else if rank(value) != rank(current.value) {
                if wins, rank(value) < rank(current.value) { note("rank kept") }
                wins = rank(value) > rank(current.value)
            }
        }
        if current.value == value {
            if step.stamp > current.stamp { record.cells[field]?.stamp = step.stamp }
            return
        }
        let isKnown = knows(step.edit.place.kind, field)
        step.losses.append(
            Loss(
                field: field, value: wins ? current.value : value, stamp: wins ? current.stamp : step.stamp,
                winner: wins ? step.stamp : current.stamp,
                hard: !saw && !(isKnown && wins && current.value == .nothing), incoming: !wins))
        if wins { record.cells[field] = Record.Cell(value: value, stamp: step.stamp) }
    }

    private mutating func merge(deleted: Bool, into record: inout Record, _ step: inout Step, _ run: Judgement) {
        let was = record.isDeleted
        let wins = step.stamp > record.deletion
        if was != deleted {
            step.losses.append(
                Loss(
                    field: "deleted", value: .nothing, stamp: wins ? record.deletion : step.stamp,
                    winner: wins ? step.stamp : record.deletion, hard: false, incoming: !wins))
            if wins { note(deleted ? "deleted" : "restored") }
        }
        if wins { (record.isDeleted, record.deletion) = (deleted, step.stamp) }
    }

    /// A value lost to somebody who had not seen it becomes a row of its own.
    mutating func openConflict(_ loss: Loss, _ step: Step) {
        let concerned = step.edit.place
        guard !["conflict", "quarantine"].contains(concerned.kind), let record = rows[concerned] else { return }
        let place = Self.conflict(concerned, loss.field, loss.stamp)
        guard rows[place] == nil else { return }
        note("conflict")
        var values: [String: Plain] = [
            "concerned_collection": .text(concerned.kind), "concerned_row": .text(concerned.id),
            "concerned_field": .text(loss.field), "losing_value": .list([loss.value]),
            "losing_stamp": .text(Self.written(loss.stamp)), "winning_stamp": .text(Self.written(loss.winner)),
            "state": .text("open"), "subject": .nothing,
        ]
        if concerned.kind == "student" {
            values["subject"] = .text(concerned.id)
        } else if Rulebook.hasSubject(concerned.kind) {
            values["subject"] = record.value("student")
        }
        values["losing_author"] = officers[loss.stamp.by].map { .text($0) } ?? .nothing
        values["winning_author"] = officers[loss.winner.by].map { .text($0) } ?? .nothing
        note(values, in: place, step.stamp)
    }

    /// A row about an edit, which the server makes.
    mutating func note(_ values: [String: Plain], in place: Place, _ stamp: Dated) {
        rows[place] = Record(cells: values.mapValues { Record.Cell(value: $0, stamp: stamp) }, deletion: stamp)
        for (field, value) in values {
            accepted.append(Accepted(place: place, field: field, value: value, stamp: stamp))
        }
    }

    /// Conflicts have identities of the server's choosing; the model names them by what they are about.
    static func conflict(_ place: Place, _ field: String, _ stamp: Dated) -> Place {
        Place(kind: "conflict", id: "\(place.kind) \(place.id) \(field) \(written(stamp))")
    }

    /// As stamps are written on the wire.
    static func written(_ stamp: Dated) -> String { digits(stamp.time) + "-" + digits(stamp.by) }

    static func digits(_ bits: UInt64) -> String {
        let text = String(bits, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }
}
