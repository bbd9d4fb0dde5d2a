import RoostSchema
import RoostSync

/// Holds each answer of the server against the model at once.
extension World {
    func judge(_ bytes: [UInt8], to request: ExchangeRequest, for index: Int) {
        guard violation == nil else { return }
        let officer = devices[index].seat.officer.description
        let answer: ExchangeAnswer
        do throws(WireProblem) {
            answer = try ExchangeAnswer(json: bytes)
        } catch {
            return fail(.codec, "the answer cannot be read: \(error)")
        }
        if isRecovering {
            judgeRecoveringCanaries(bytes, for: officer)
            return hear(answer, to: request)
        }
        let push = PlainPush(request, at: clock.now) { self.place($0, $1) }
        let isForeign = request.epoch.map { $0 != epoch } ?? false
        if (answer.known != nil) != isForeign {
            return fail(.epoch, "a request of epoch \(request.epoch ?? "none") in epoch \(epoch)")
        }
        if isForeign {
            note("request of another epoch")
            judgeCanaries(bytes, holding: model.held(by: officer, at: clock.now))
            // Taken whatever history the request is of; the answer says nothing of it, so that they are given again.
            _ = model.surrender(push) { self.stamp(of: $0) }
            return hear(answer, to: request)
        }
        if answer.epoch != epoch { fail(.epoch, "the epoch became \(answer.epoch) without a reason") }
        let expected: Int64
        if push.edits.isEmpty {
            expected = model.expected(push.replica, incarnation: push.incarnation)
        } else {
            let decided = model.push(push)
            expected = decided.expected
            if answer.copied != decided.isCopied { fail(.copy, "said to be copied: \(answer.copied)") }
            judgeVerdicts(answer, decided.verdicts, push, request)
        }
        judgeSurrender(answer, push)
        if answer.expected != expected { fail(.expected, "\(answer.expected), not \(expected)") }
        let offset = request.now.value - clock.now
        if answer.offset != (abs(offset) <= 2000 ? 0 : offset) { fail(.offset, "\(answer.offset), not \(offset)") }
        let held = model.held(by: officer, at: clock.now)
        let lost = Set(request.scopes.map(\.scope.description)).subtracting(held)
        if Set(answer.lost.map(\.description)) != lost {
            fail(.lost, "\(answer.lost), not \(lost.sorted())")
        }
        learnConflicts(answer)
        for page in answer.scopes { judge(page, holding: held) }
        if answer.scopes.contains(where: \.more) { note("page cut") }
        judgeCanaries(bytes, holding: held)
    }

    /// Refused edits that their author's device gives up are taken, and it is told which.
    private func judgeSurrender(_ answer: ExchangeAnswer, _ push: PlainPush) {
        let safe = model.surrender(push) { self.stamp(of: $0) }
        if Set(answer.surrendered.map { "\($0.incarnation).\($0.number)" }) != safe {
            fail(.surrender, "\(answer.surrendered), not \(safe)")
        }
    }

    /// Takes the verdicts of a server that knows less than the model; one that was given before is what it was.
    private func hear(_ answer: ExchangeAnswer, to request: ExchangeRequest) {
        for verdict in answer.verdicts {
            let given = PlainVerdict(verdict)
            let key = ReferenceModel.key(request.replica.bits, request.incarnation, given.number)
            if let before = told[key], before != given { fail(.exactlyOnce, "\(given) after \(before)") }
            if !isRecovering, told[key] == nil { fail(.epoch, "\(given) was decided for a request of another epoch") }
            told[key] = given
            toldAt[key] = toldAt[key] ?? clock.now
            decided[key] = decided[key] ?? request.mutations.first { $0.number == given.number }
            say {
                "   recovering \(request.mutations.first { $0.number == given.number }.map { "\($0)" } ?? "") → \(given)"
            }
        }
        learnConflicts(answer)
    }

    /// Each verdict is the model's, and a repeated one is what it was.
    private func judgeVerdicts(
        _ answer: ExchangeAnswer, _ expected: [PlainVerdict], _ push: PlainPush, _ request: ExchangeRequest
    ) {
        let given = answer.verdicts.map { PlainVerdict($0) }
        guard given.map(\.number) == expected.map(\.number) else {
            return fail(.accounting, "verdicts for \(given.map(\.number)), not for \(expected.map(\.number))")
        }
        for (given, expected) in zip(given, expected) {
            let edit = push.edits.first { $0.number == given.number }
            let key = ReferenceModel.key(push.replica, push.incarnation, given.number)
            if let before = told[key], before != given {
                fail(.exactlyOnce, "\(given) after \(before)")
            }
            told[key] = given
            toldAt[key] = toldAt[key] ?? clock.now
            if decided[key] == nil { decided[key] = request.mutations.first { $0.number == given.number } }
            say { "   \(edit.map { self.describe($0) } ?? "") → \(given)" }
            if given != expected {
                fail(.verdict, "\(given), not \(expected), for \(edit.map { self.describe($0) } ?? "")")
            }
        }
    }

    func describe(_ edit: PlainEdit) -> String {
        let changes = edit.changes.map { change in
            let cell = model.rows[edit.place]?.cells[change.field]
            return "\(change.field)=\(change.value)" + (cell.map { " (now \($0.value) \($0.stamp))" } ?? "")
        }
        let made = Dated(time: edit.time, by: 0)
        return "#\(edit.number) \(edit.action) \(edit.place) \(changes.joined(separator: ", ")) time \(made)"
            + (edit.base.map { " base \($0)" } ?? "") + (edit.group.map { " group \($0)" } ?? "")
    }

    private func learnConflicts(_ answer: ExchangeAnswer) {
        for row in answer.scopes.flatMap(\.rows) where row.deleted == nil {
            learn(row.collection, row.row) { name in row.fields.first { $0.field == name }?.value }
        }
    }

    /// Conflicts are named by the server; the model knows them by what they are about.
    func learn(_ collection: String, _ row: RowID, _ value: (String) -> Value?) {
        if collection == "quarantine", !rows[collection, default: []].contains(row) {
            rows[collection, default: []].append(row)
        }
        guard collection == "conflict", let kind = value("concerned_collection")?.text,
            let id = value("concerned_row")?.text, let field = value("concerned_field")?.text,
            let stamp = value("losing_stamp")?.text.flatMap({ Stamp($0) })
        else { return }
        let place = ReferenceModel.conflict(Place(kind: kind, id: id), field, Dated(stamp))
        if let known = conflicts[row.description], known != place {
            fail(.conflict, "one identity for \(known) and \(place)")
        }
        if conflicts[row.description] == nil { rows[collection, default: []].append(row) }
        conflicts[row.description] = place
    }

    /// Each row of a page is what the scope shows of it, no more and no less.
    private func judge(_ page: ScopePage, holding held: Set<String>) {
        let scope = page.scope.description
        guard held.contains(scope) else { return fail(.leak, "a page of \(scope), which is not held") }
        for row in page.rows {
            let place = place(row.collection, row.row)
            guard let record = model.rows[place], model.scopes(of: place, record).contains(scope) else {
                fail(.leak, "\(place) in a page of \(scope)")
                continue
            }
            guard (row.deleted != nil) == record.isDeleted else {
                fail(.row, "\(place) deleted: \(row.deleted != nil)")
                continue
            }
            if record.isDeleted {
                if !row.fields.isEmpty { fail(.leak, "values of deleted \(place)") }
                if let deletion = row.deleted, Dated(deletion) != record.deletion {
                    fail(.row, "\(place) deleted at \(Dated(deletion)), not \(record.deletion)")
                }
            } else {
                judge(row, place, record, in: scope)
            }
        }
        for left in page.left {
            let place = place(left.collection, left.row)
            if let record = model.rows[place], model.scopes(of: place, record).contains(scope) {
                fail(.row, "\(place) is said to have left \(scope)")
            }
            note("row left")
        }
    }

    private func judge(_ row: WireRow, _ place: Place, _ record: Record, in scope: String) {
        var given: [String: ReferenceModel.Shown] = [:]
        for change in row.fields where !change.value.isNull && !World.isLabel(change.field) {
            given[change.field] = ReferenceModel.Shown(
                value: Plain(change.value), isMasked: row.masked.contains(change.field))
        }
        given = concerned(given)
        for (field, cell) in record.cells {
            let sight = model.sight(of: field, place, record, in: scope)
            var expected: ReferenceModel.Shown?
            if sight == .full, cell.value != .nothing {
                expected = ReferenceModel.Shown(value: cell.value, isMasked: false)
            } else if sight == .masked {
                let masked = Rulebook.mask(field, cell.value)
                if masked != .nothing { expected = ReferenceModel.Shown(value: masked, isMasked: true) }
                note("masked")
            }
            let shown = given.removeValue(forKey: field)
            if shown != expected {
                fail(
                    sight == .full ? .row : .leak,
                    "\(place).\(field) in \(scope): \(shown?.description ?? "–"), not \(expected?.description ?? "–")")
            }
            let stamp = Dated(row.stamps[field] ?? row.stamp)
            if sight == .full, expected != nil, stamp != cell.stamp {
                fail(.stamp, "\(place).\(field) at \(stamp), not \(cell.stamp)")
            }
        }
        if let extra = given.first { fail(.leak, "\(place).\(extra.key) in \(scope): \(extra.value)") }
    }

    /// What people call their devices, which the model does not know.
    static func isLabel(_ field: String) -> Bool { field == "device" || field.hasSuffix("_device") }

    /// What the model calls the conflict that an edit set aside is about.
    func concerned(_ fields: [String: ReferenceModel.Shown]) -> [String: ReferenceModel.Shown] {
        guard fields["concerned_collection"]?.value == .text("conflict"),
            let place = fields["concerned_row"]?.value.text.flatMap({ conflicts[$0] })
        else { return fields }
        var fields = fields
        fields["concerned_row"]?.value = .text(place.id)
        return fields
    }

    /// No text stands in the raw bytes that the device's owner may not read now.
    func judgeCanaries(_ bytes: [UInt8], holding held: Set<String>) {
        judge(canaries.found(in: bytes), holding: held, by: model)
    }

    /// The same by what the server has, while the model waits.
    func judgeRecoveringCanaries(_ bytes: [UInt8], for officer: String) {
        let found = canaries.found(in: bytes)
        guard !found.isEmpty else { return }
        guard let known = try? modelOfTables() else { return fail(.recovery, "the server's tables cannot be read") }
        judge(found, holding: known.held(by: officer, at: clock.now), by: known)
        note("searched while recovering")
    }

    private func judge(_ found: Set<Int>, holding held: Set<String>, by model: ReferenceModel) {
        for number in found {
            guard let origin = canaries.origins[number] else {
                fail(.leak, "canary \(number) was never planted")
                continue
            }
            if !model.mayRead(origin.field, origin.place, holding: held) {
                fail(.leak, "a value of \(origin.place).\(origin.field) on the wire")
            }
        }
    }
}
