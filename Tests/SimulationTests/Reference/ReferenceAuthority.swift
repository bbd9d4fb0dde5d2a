/// Who may do what, now and when it was done.
extension ReferenceModel {
    /// Whether a value would be written over a mask: nobody who sees the field in full, somebody who sees its mask.
    func conceals(
        _ field: String, _ place: Place, _ record: Record, _ scopes: Set<String>, _ held: Set<String>, _ step: Step,
        _ run: Judgement
    ) -> Bool {
        var through = scopes.intersection(held)
        if through.isEmpty, step.madeAt < run.push.now {
            through = former(place, record, at: step.madeAt, run).union(scopes)
                .intersection(self.held(by: run.officer, at: step.madeAt))
        }
        let sights = through.map { sight(of: field, place, record, in: $0) }
        return !sights.contains(.full) && sights.contains(.masked)
    }

    /// The scopes in which a row was at an earlier moment, by links that may have ended since.
    func former(_ place: Place, _ row: Record, at moment: Int64, _ run: Judgement) -> Set<String> {
        let student = place.kind == "student" ? place.id : Rulebook.hasSubject(place.kind) ? row.id("student") : nil
        guard let student else { return [] }
        // Whether a scope takes a student, or shows a row, is asked of the student and the row as they were then.
        let subject = Place(kind: "student", id: student)
        guard let record = version(of: subject, at: moment, run) ?? (place == subject ? row : rows[subject]) else {
            return []
        }
        let then = version(of: place, at: moment, run) ?? row
        return Set(
            tenures.filter { $0.role == nil && $0.about == student && $0.holds(at: moment) }.map(\.scope)
                .filter { admits($0, record) && isOpen($0, to: place, then) })
    }

    /// A row as it was at an earlier moment, or as it began if it came later; nil if it is not there yet.
    private func version(of place: Place, at moment: Int64, _ run: Judgement) -> Record? {
        versions[place]?.first { moment < $0.until }?.record ?? run.start[place]
    }

    /// Whether an edit was allowed only when it was made; refuses what was allowed at neither time.
    mutating func judge(_ step: Step, _ steps: [Step], _ run: Judgement) throws(Refused) -> Bool {
        let place = step.edit.place
        guard let after = rows[place] else { return false }
        let created = Set(steps.filter { $0.edit.action == .create }.map(\.edit.place))
        let afterScopes = scopes(of: place, after)
        var once = false
        if !permits(step, after, run.officer, run.push.now, step.beforeScopes, afterScopes, created) {
            var allowed = false
            if step.madeAt < run.push.now {
                let then = former(place, step.before ?? after, at: step.madeAt, run)
                allowed = permits(
                    step, after, run.officer, step.madeAt, step.beforeScopes.union(then),
                    step.edit.action == .create ? afterScopes.union(then) : afterScopes, created)
            }
            guard allowed else {
                let held = held(by: run.officer, at: run.push.now)
                var known = step.before == nil ? afterScopes : step.beforeScopes
                if step.before == nil, Rulebook.hasSubject(place.kind), let student = after.id("student") {
                    let subject = Place(kind: "student", id: student)
                    if let record = run.start[subject] {
                        var asItWas = self
                        asItWas.rows = run.start
                        known = asItWas.scopes(of: subject, record)
                        if held.isDisjoint(with: known), wasRefused(subject, run) { throw Refused(code: "depends_on") }
                    }
                }
                throw Refused(code: held.isDisjoint(with: known) ? "out_of_scope" : "forbidden")
            }
            once = true
        }
        if Rulebook.isAuthoritative(place.kind), let before = step.before {
            let version = before.version
            let saw = step.base.map { $0.by != run.push.replica && $0 >= version } ?? false
            if !saw && version.by != run.push.replica { throw Refused(code: "stale") }
        }
        return once
    }

    private func permits(
        _ step: Step, _ after: Record, _ officer: String, _ moment: Int64, _ before: Set<String>,
        _ later: Set<String>, _ created: Set<Place>
    ) -> Bool {
        let place = step.edit.place
        let fields = step.edit.changes.map(\.field).filter { knows(place.kind, $0) }
        if place.kind == "conflict" {
            return step.edit.action == .edit && fields == ["state"]
                && !held(by: officer, at: moment).isDisjoint(with: before)
        }
        return tenures.contains { grant in
            guard grant.role != nil, grant.about == officer, grant.holds(at: moment) else { return false }
            let scope: String
            switch grant.role {
            case "registrar": scope = "county"
            case "liaison": scope = "care:\(officer)"
            case "mentor": scope = "mentoring:\(officer)"
            default: scope = "chapter:\(grant.target ?? "")"
            }
            if place.kind == "quarantine" {
                return step.edit.action == .edit && fields == ["state"] && before.contains(scope)
                    && maySettle(after, grant.role ?? "")
            }
            switch step.edit.action {
            case .create: guard later.contains(scope) else { return false }
            case .edit:
                // An edit may take a row out of its author's sight, but not into anybody else's.
                guard before.contains(scope), later.contains(scope) || later.isSubset(of: before) else { return false }
            case .delete, .restore: guard before.contains(scope) else { return false }
            }
            let isNew =
                Rulebook.hasSubject(place.kind)
                && after.id("student").map { created.contains(Place(kind: "student", id: $0)) } ?? false
            return allows(
                grant.role ?? "", step.edit.action, place.kind, fields, step.before, after, officer, isNew: isNew)
        }
    }

    /// The table of who writes what.
    private func allows(
        _ role: String, _ action: PlainEdit.Action, _ kind: String, _ fields: [String], _ before: Record?,
        _ after: Record, _ officer: String, isNew: Bool
    ) -> Bool {
        let isMine = after.id("officer") == officer
        switch (role, kind, action) {
        case ("registrar", "student", _), ("registrar", "membership", _), ("registrar", "liaison", _): return true
        case ("registrar", "touch", .create): return true
        case ("registrar", "officer", .create), ("registrar", "officer", .edit): return true
        case ("registrar", "chapter", .create), ("registrar", "chapter", .edit): return true
        case ("registrar", "appointment", .create): return after.id("role") != "registrar"
        case ("registrar", "appointment", .edit):
            return after.id("role") != "registrar" && before?.id("role") != "registrar"
        case ("registrar", "appointment", _): return before?.id("role") != "registrar"
        case ("liaison", "student", .create), ("liaison", "student", .edit): return true
        case ("liaison", "membership", .create), ("liaison", "membership", .edit): return true
        case ("liaison", "liaison", .create):
            return isNew && isMine && after.id("kind") == "liaison" && after.id("state") == "active"
        case ("liaison", "touch", .create): return isMine
        case ("coordinator", "student", .create), ("coordinator", "student", .edit):
            return fields.allSatisfy { Rulebook.group("student", $0) != "inner" }
        case ("coordinator", "membership", .create): return isNew && after.id("state") == "active"
        case ("coordinator", "membership", _): return true
        case ("coordinator", "touch", .create): return isMine && after.value("private") != .flag(true)
        case ("mentor", "touch", .create): return isMine
        default: return false
        }
    }

    /// Whether a row newly counts against a limit that is full; where the rules say what to do then, that is done.
    mutating func exceedsLimit(_ step: Step) -> Bool {
        let place = step.edit.place
        guard place.kind == "liaison" else { return false }
        func counts(_ row: Record, _ onlyLiaison: Bool) -> Bool {
            !row.isDeleted && row.id("state") == "active" && (!onlyLiaison || row.id("kind") == "liaison")
        }
        func others(_ field: String, _ value: String, _ onlyLiaison: Bool) -> Int {
            rows.count {
                $0.key.kind == "liaison" && $0.key != place && $0.value.id(field) == value
                    && counts($0.value, onlyLiaison)
            }
        }
        guard let row = rows[place] else { return false }
        func isNewly(_ onlyLiaison: Bool) -> Bool {
            counts(row, onlyLiaison) && !(step.before.map { counts($0, onlyLiaison) } ?? false)
        }
        if isNewly(true), let student = row.id("student"), others("student", student, true) >= 1 { return true }
        if isNewly(false), let officer = row.id("officer"),
            case .number(let capacity)? = rows[Place(kind: "officer", id: officer)]?.value("capacity"),
            others("officer", officer, false) >= capacity
        {
            rows[place]?.cells["state"] = Record.Cell(value: .text("proposed"), stamp: step.stamp)
            note("proposed for want of room")
        }
        return false
    }

    /// Ends the tenures that the rows no longer bear out and begins those they newly do.
    mutating func keepTenures(since start: [Place: Record], at now: Int64) {
        for (place, was) in start where ["student", "membership", "liaison"].contains(place.kind) && rows[place] != was
        {
            versions[place, default: []].append((now, was))
        }
        for (place, row) in rows where ["membership", "liaison", "appointment"].contains(place.kind) {
            guard start[place] != row else { continue }
            let was = start[place].flatMap { Self.tenure(place, $0, at: now) }
            let held = Self.tenure(place, row, at: now)
            if let was, let held, was.isSame(as: held) { continue }
            if let was, let index = tenures.lastIndex(where: { $0.isSame(as: was) && $0.until == nil }) {
                tenures[index].until = now
                note(was.role == nil ? "link ended" : "grant ended")
            }
            if let held { tenures.append(held) }
        }
    }

    private static func tenure(_ place: Place, _ row: Record, at now: Int64) -> Tenure? {
        guard !row.isDeleted, row.id("state") == "active" else { return nil }
        switch place.kind {
        case "appointment":
            guard let officer = row.id("officer") else { return nil }
            return Tenure(
                place: place, scope: "", about: officer, role: row.id("role"), target: row.id("target"), from: now)
        case "membership":
            guard let student = row.id("student"), let chapter = row.id("chapter") else { return nil }
            return Tenure(
                place: place, scope: "chapter:\(chapter)", about: student, role: nil, target: nil, from: now)
        default:
            guard let student = row.id("student"), let officer = row.id("officer") else { return nil }
            let scope = row.id("kind") == "mentor" ? "mentoring:\(officer)" : "care:\(officer)"
            return Tenure(place: place, scope: scope, about: student, role: nil, target: nil, from: now)
        }
    }
}
