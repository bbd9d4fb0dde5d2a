/// The whole county in one value, kept by the naive rules of the written protocol.
///
/// It holds every row, looks at all of them for every question, copies itself to try something out, and shares no code
/// with the product. What it says is what the server and every device must say.
struct ReferenceModel {
    /// When somebody held a role, or a student belonged to a scope.
    struct Tenure: Hashable {
        let place: Place
        let scope: String
        /// The student of a link; the officer of a grant.
        let about: String
        let role: String?
        let target: String?
        let from: Int64
        var until: Int64?

        func holds(at moment: Int64) -> Bool { from <= moment && (until.map { moment < $0 } ?? true) }
        func isSame(as other: Tenure) -> Bool {
            place == other.place && scope == other.scope && about == other.about && role == other.role
                && target == other.target
        }
    }

    /// A value that a device set and that was taken into a row, whether or not it won.
    struct Accepted: Hashable {
        let place: Place
        let field: String
        let value: Plain
        let stamp: Dated
    }

    var rows: [Place: Record] = [:]
    /// Rows about a student, some of which may have been taken back.
    var about: [String: Set<Place>] = [:]
    var tenures: [Tenure] = []
    /// What rows were before each change, and until when.
    var versions: [Place: [(until: Int64, record: Record)]] = [:]
    /// Who owns a replica.
    var officers: [UInt64: String] = [:]
    var incarnations: [UInt64: Int64] = [:]
    var lastNumber: [UInt64: Int64] = [:]
    /// The effective time of each replica's last edit.
    var previous: [UInt64: UInt64] = [:]
    var verdicts: [String: PlainVerdict] = [:]
    /// The edits that have verdicts.
    var decided: [String: PlainEdit] = [:]
    var refusedCreations: Set<String> = []
    /// Deleted rows that were taken away for good.
    var gone: Set<Place> = []
    /// The catalogue that the server has.
    var version = 2
    var accepted: [Accepted] = []
    /// Rare paths this model has seen.
    var seen: [String: Int] = [:]

    static let grace: Int64 = 14 * 86_400_000

    mutating func note(_ path: String) { seen[path, default: 0] += 1 }

    /// Whether the server's catalogue declares a field.
    func knows(_ kind: String, _ field: String) -> Bool {
        Rulebook.knows(kind, field) || kind == "student" && field == "motto" && version >= 3
    }

    static func key(_ replica: UInt64, _ incarnation: Int64, _ number: Int64) -> String {
        "\(String(replica, radix: 16)).\(incarnation).\(number)"
    }

    /// Takes a push and answers with the verdicts the server must give and the number it must expect next.
    mutating func push(_ push: PlainPush) -> (verdicts: [PlainVerdict], expected: Int64, isCopied: Bool) {
        if push.incarnation > incarnations[push.replica] ?? 1 {
            incarnations[push.replica] = push.incarnation
            lastNumber[push.replica] = 0
            note("new incarnation")
        }
        let last = lastNumber[push.replica] ?? 0
        var told: [PlainVerdict] = []
        var fresh: [PlainEdit] = []
        for edit in push.edits {
            if edit.number <= last {
                if let other = decided[Self.key(push.replica, push.incarnation, edit.number)], other != edit {
                    note("another copy was first")
                    return (told, last + 1, true)
                }
                if let verdict = verdicts[Self.key(push.replica, push.incarnation, edit.number)] {
                    told.append(verdict)
                }
                note("repeated")
            } else if edit.number == last + 1 + Int64(fresh.count) {
                fresh.append(edit)
            } else {
                note("gap")
                break
            }
        }
        if !fresh.isEmpty {
            for edit in fresh { decided[Self.key(push.replica, push.incarnation, edit.number)] = edit }
            for verdict in decide(fresh, push) {
                verdicts[Self.key(push.replica, push.incarnation, verdict.number)] = verdict
                told.append(verdict)
            }
            lastNumber[push.replica] = last + Int64(fresh.count)
        }
        return (told, last + Int64(fresh.count) + 1, false)
    }

    /// The number the server expects from a replica that asks without bringing anything.
    func expected(_ replica: UInt64, incarnation: Int64) -> Int64 {
        incarnation > incarnations[replica] ?? 1 ? 1 : (lastNumber[replica] ?? 0) + 1
    }

    private mutating func decide(_ edits: [PlainEdit], _ push: PlainPush) -> [PlainVerdict] {
        let start = rows
        var run = Judgement(push: push, officer: officers[push.replica] ?? "", start: start)
        var verdicts: [PlainVerdict] = []
        var index = 0
        while index < edits.count {
            var end = index + 1
            if let group = edits[index].group {
                while end < edits.count, edits[end].group == group { end += 1 }
            }
            verdicts += decide(group: Array(edits[index..<end]), &run)
            index = end
        }
        meetNewRows()
        keepTenures(since: start, at: push.now)
        return verdicts
    }

    /// What one push knows while it is judged.
    struct Judgement {
        let push: PlainPush
        let officer: String
        /// All rows as they were when the push arrived.
        let start: [Place: Record]
        /// Of the group at hand: creations whose identity is taken by what their author does not see, and the refusal.
        var standIns: [Place: (number: Int64, code: String)] = [:]
    }

    /// One edit of a group, applied and not yet judged.
    struct Step {
        let edit: PlainEdit
        let stamp: Dated
        let base: Dated?
        let madeAt: Int64
        let before: Record?
        let beforeScopes: Set<String>
        var losses: [Loss] = []
        var masked: [(field: String, value: Plain)] = []
        var taken: [(field: String, value: Plain)] = []
    }

    struct Refused: Error {
        let code: String
    }

    private mutating func decide(group: [PlainEdit], _ run: inout Judgement) -> [PlainVerdict] {
        let saved = rows
        run.standIns = [:]
        var steps: [Step] = []
        var failure: (index: Int, code: String)?
        // What is not there is told of where it would be if it were there and out of sight.
        var absent: (index: Int, code: String)?
        for (index, edit) in group.enumerated() {
            let base = issuedBase(of: edit, run.push)
            let stamp = effective(edit, base: base ?? nil, run.push)
            guard failure == nil else { continue }
            do throws(Refused) {
                guard let base else { throw Refused(code: "invalid_base") }
                steps.append(try apply(edit, stamp: stamp, base: base, &run))
            } catch {
                if ["out_of_scope", "depends_on"].contains(error.code) {
                    absent = absent ?? (index, error.code)
                } else {
                    failure = (index, error.code)
                }
            }
        }
        var onceAllowed = false
        if failure == nil {
            for step in steps where failure == nil {
                do throws(Refused) {
                    if try judge(step, steps, run) { onceAllowed = true }
                } catch {
                    failure = (group.firstIndex { $0.number == step.edit.number } ?? 0, error.code)
                }
            }
            if let missing = absent, missing.index < failure?.index ?? .max { failure = missing }
        }
        if failure == nil {
            for (index, step) in steps.enumerated() where failure == nil {
                if exceedsLimit(step) { failure = (index, "limit") }
            }
        }
        if failure == nil, let first = run.standIns.values.min(by: { $0.number < $1.number }) {
            failure = (group.firstIndex { $0.number == first.number } ?? 0, first.code)
        }
        if let failure {
            rows = saved
            if group.count > 1 { note("group refused") }
            return refuse(group, at: failure.index, failure.code, run)
        }
        if onceAllowed, let oldest = steps.map(\.madeAt).min(), run.push.now - oldest > Self.grace {
            rows = saved
            note("quarantined")
            return steps.map { step in
                setAside(
                    step.edit, step.edit.changes, "authority_ended", unit: "\(steps.first?.edit.number ?? 0)",
                    stamp: step.stamp, run.push)
                return PlainVerdict(number: step.edit.number, outcome: "quarantined", stamp: step.stamp)
            }
        }
        return steps.map { record($0, late: onceAllowed, run) }
    }

    private mutating func refuse(
        _ group: [PlainEdit], at culprit: Int, _ code: String, _ run: Judgement
    ) -> [PlainVerdict] {
        note("rejected \(code)")
        return group.enumerated().map { index, edit in
            if edit.action == .create, !shows(edit.place, run) {
                refusedCreations.insert("\(run.push.replica) \(edit.place.kind) \(edit.place.id)")
            }
            return PlainVerdict(
                number: edit.number, outcome: "rejected", code: index == culprit ? code : "depends_on")
        }
    }

    private mutating func record(_ step: Step, late: Bool, _ run: Judgement) -> PlainVerdict {
        var lost = step.losses.filter(\.incoming).map(\.field)
        for loss in step.losses {
            note(loss.hard ? "hard loss" : "soft loss")
            if loss.hard, loss.field != "deleted" { openConflict(loss, step) }
        }
        for change in step.taken {
            accepted.append(
                Accepted(place: step.edit.place, field: change.field, value: change.value, stamp: step.stamp))
        }
        // What a creation leaves unsaid it sets too.
        if step.edit.action == .create {
            refusedCreations.remove("\(run.push.replica) \(step.edit.place.kind) \(step.edit.place.id)")
            for (field, value) in Rulebook.initial(step.edit.place.kind)
            where !step.taken.contains(where: { $0.field == field }) {
                accepted.append(Accepted(place: step.edit.place, field: field, value: value, stamp: step.stamp))
            }
        }
        noteParallels(step, run.push)
        if !step.masked.isEmpty {
            setAside(
                step.edit, step.masked, "masked", unit: "\(step.edit.number)", stamp: step.stamp, run.push)
            note("quarantined masked")
        }
        let outcome =
            !step.masked.isEmpty ? "quarantined" : late ? "late" : lost.isEmpty ? "applied" : "merged"
        note(outcome)
        var isDeleted = step.edit.action == .edit && rows[step.edit.place]?.isDeleted ?? false
        if isDeleted { note("edit of a deleted row") }
        // Whoever does not see the row any more is not told what became of it.
        if late, !shows(step.edit.place, run) { (lost, isDeleted) = ([], false) }
        return PlainVerdict(
            number: step.edit.number, outcome: outcome, stamp: step.stamp, lost: Set(lost), isDeleted: isDeleted)
    }

    /// A write of the server's own, whose stamp is the server's to choose.
    mutating func serverWrote(
        _ place: Place, _ action: PlainEdit.Action, _ changes: [String: Plain], _ stamp: Dated, at now: Int64
    ) {
        let start = rows
        var record =
            rows[place]
            ?? Record(
                cells: Rulebook.initial(place.kind).mapValues { Record.Cell(value: $0, stamp: stamp) }, deletion: stamp)
        for (field, value) in changes { record.cells[field] = Record.Cell(value: value, stamp: stamp) }
        if action == .delete || action == .restore { (record.isDeleted, record.deletion) = (action == .delete, stamp) }
        rows[place] = record
        if let student = record.id("student") { about[student, default: []].insert(place) }
        for (field, value) in changes {
            accepted.append(Accepted(place: place, field: field, value: value, stamp: stamp))
        }
        previous[stamp.by] = max(previous[stamp.by] ?? 0, stamp.time)
        meetNewRows()
        keepTenures(since: start, at: now)
    }
}
