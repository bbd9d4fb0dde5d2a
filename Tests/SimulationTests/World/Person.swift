import RoostClient
import RoostSchema
import RoostStore
import RoostSync

/// What people do on their devices.
extension World {
    /// One deed; what follows from the dice, from what the device shows and from nothing else.
    func act(_ index: Int, _ dice: inout Seeded) throws {
        if dice.chance(3) { clock.advance(Int64(dice.below(3000))) }
        let edits: [Edit]
        switch dice.below(100) {
        case ..<42: edits = try editStudent(index, &dice)
        case ..<50: edits = try enterStudent(index, &dice)
        case ..<57: edits = try logTouch(index, &dice)
        case ..<63: edits = try editMembership(index, &dice)
        case ..<70: edits = try move(index, &dice)
        case ..<77: edits = try assign(index, &dice)
        case ..<83: edits = try editLiaison(index, &dice)
        case ..<88: edits = try appoint(index, &dice)
        case ..<93: edits = try deleteOrRestore(index, &dice)
        case ..<97: edits = try settle(index, &dice)
        default: edits = try blunder(index, &dice)
        }
        guard !edits.isEmpty else { return }
        let device = devices[index]
        let numbers = try device.replica.queue(edits, grouped: true, at: device.environment.moment)
        for edit in edits where edit.action == .create { rows[edit.collection.text, default: []].append(edit.row) }
        say {
            "   \(numbers) "
                + edits.map { edit in
                    "\(edit.action) \(place(edit.collection.text, edit.row)) "
                        + edit.changes.map { "\($0.field)=\(Plain($0.value))" }.joined(separator: ", ")
                }.joined(separator: "; ")
        }
    }

    /// A row of a collection, mostly one that the device shows.
    func pick(_ collection: CollectionName, _ index: Int, _ dice: inout Seeded) throws -> RowID? {
        guard let known = rows[collection.text], !known.isEmpty else { return nil }
        for _ in 0..<6 {
            let row = dice.one(of: known)
            if try devices[index].replica.row(collection, row) != nil { return row }
        }
        return dice.chance(3) ? dice.one(of: known) : nil
    }

    private func newRow(_ dice: inout Seeded) -> RowID {
        RowID(milliseconds: clock.now, random: UInt128(dice.next()) << 64 | UInt128(dice.next()))
    }

    /// A value for a field: mostly one found nowhere else, sometimes what the field says already.
    private func value(
        _ collection: CollectionName, _ row: RowID, _ field: String, _ index: Int, _ dice: inout Seeded
    ) throws -> Value {
        let place = Place(kind: collection.text, id: row.description)
        switch field {
        case "shared", "minor", "private": return .boolean(dice.chance(2))
        case "progress": return .text(dice.one(of: ["open", "doing", "done"]))
        case "state" where collection == "membership": return .text(dice.chance(2) ? "left" : "active")
        default: break
        }
        if dice.chance(8), let shown = try devices[index].replica.row(collection, row),
            let position = devices[index].replica.rules.catalogue[collection]?.position(of: field)
        {
            return shown.row.values[position]
        }
        if dice.chance(10), field != "name" { return .null }
        return field == "phone"
            ? .text(canaries.phone(for: place, field, device: index))
            : .text(canaries.text(for: place, field, device: index))
    }

    private func editStudent(_ index: Int, _ dice: inout Seeded) throws -> [Edit] {
        guard let student = try pick("student", index, &dice) else { return [] }
        var fields = ["name", "name", "phone", "phone", "wechat", "note", "progress", "shared", "minor"]
        fields += ["nick", "motto"].prefix(devices[index].version - 1)
        var chosen: [String] = []
        for _ in 0..<1 + dice.below(3) {
            let field = dice.one(of: fields)
            if !chosen.contains(field) { chosen.append(field) }
        }
        return [
            Edit(
                "student", student, .edit,
                try chosen.map { Mutation.Change($0, try value("student", student, $0, index, &dice)) })
        ]
    }

    /// Somebody new, with whatever brings them into the author's scope; `taken` is an identity that somebody has already.
    private func enterStudent(_ index: Int, as taken: RowID? = nil, _ dice: inout Seeded) throws -> [Edit] {
        let student = taken ?? newRow(&dice)
        let seat = devices[index].seat
        var edits = [
            Edit(
                "student", student, .create,
                [Mutation.Change("name", try .text(text("student", student, "name", index)))]
                    + (dice.chance(2)
                        ? [Mutation.Change("phone", try value("student", student, "phone", index, &dice))] : []))
        ]
        if seat.role != "coordinator", !dice.chance(4) {
            edits.append(
                Edit(
                    "liaison", newRow(&dice), .create,
                    [
                        Mutation.Change("student", .id(student)), Mutation.Change("officer", .id(seat.officer)),
                        Mutation.Change("kind", "liaison"),
                    ]))
        }
        if seat.role == "coordinator" || dice.chance(3) {
            edits.append(try membership(of: student, index, &dice))
        }
        return edits
    }

    private func text(_ collection: String, _ row: RowID, _ field: String, _ index: Int) throws -> String {
        canaries.text(for: Place(kind: collection, id: row.description), field, device: index)
    }

    private func membership(of student: RowID, _ index: Int, _ dice: inout Seeded) throws -> Edit {
        let row = newRow(&dice)
        return Edit(
            "membership", row, .create,
            [
                Mutation.Change("student", .id(student)),
                Mutation.Change("chapter", .id(Template.id(dice.one(of: Template.chapters)))),
                Mutation.Change("post", try value("membership", row, "post", index, &dice)),
            ])
    }

    private func logTouch(_ index: Int, _ dice: inout Seeded) throws -> [Edit] {
        guard let student = try pick("student", index, &dice) else { return [] }
        let row = newRow(&dice)
        let seat = devices[index].seat
        let isPrivate = seat.role == "mentor" ? !dice.chance(6) : dice.chance(5)
        return [
            Edit(
                "touch", row, .create,
                [
                    Mutation.Change("student", .id(student)), Mutation.Change("officer", .id(seat.officer)),
                    Mutation.Change("private", .boolean(isPrivate)),
                    Mutation.Change("summary", .text(try text("touch", row, "summary", index))),
                ])
        ]
    }

    private func editMembership(_ index: Int, _ dice: inout Seeded) throws -> [Edit] {
        guard let row = try pick("membership", index, &dice) else { return [] }
        let field = dice.chance(2) ? "state" : "post"
        return [
            Edit(
                "membership", row, .edit,
                [Mutation.Change(field, try value("membership", row, field, index, &dice))])
        ]
    }

    /// Out of one chapter and into another, with an edit of the student in the same breath, in either order.
    private func move(_ index: Int, _ dice: inout Seeded) throws -> [Edit] {
        guard let old = try pick("membership", index, &dice),
            let student = try devices[index].replica.row("membership", old)?.row.values.first?.id
        else { return [] }
        var edits = [
            Edit("membership", old, .edit, [Mutation.Change("state", "left")]),
            try membership(of: student, index, &dice),
        ]
        if dice.chance(2) {
            edits.append(
                Edit(
                    "student", student, .edit,
                    [Mutation.Change("name", .text(try text("student", student, "name", index)))]))
        }
        return dice.chance(2) ? edits.reversed() : edits
    }

    private func assign(_ index: Int, _ dice: inout Seeded) throws -> [Edit] {
        guard let student = try pick("student", index, &dice) else { return [] }
        let officer = dice.one(of: ["liaison one", "liaison two", "mentor", "registrar"])
        return [
            Edit(
                "liaison", newRow(&dice), .create,
                [
                    Mutation.Change("student", .id(student)), Mutation.Change("officer", .id(Template.id(officer))),
                    Mutation.Change("kind", .text(officer == "mentor" || dice.chance(4) ? "mentor" : "liaison")),
                ])
        ]
    }

    private func editLiaison(_ index: Int, _ dice: inout Seeded) throws -> [Edit] {
        guard let row = try pick("liaison", index, &dice) else { return [] }
        let state = dice.one(of: ["ended", "ended", "active"])
        var edits = [Edit("liaison", row, .edit, [Mutation.Change("state", .text(state))])]
        // The student handed over, and edited or given to somebody else, all at once.
        if dice.chance(3), let student = try devices[index].replica.row("liaison", row)?.row.values.first?.id {
            let note = Mutation.Change("note", .text(try text("student", student, "note", index)))
            edits.append(
                dice.chance(3) ? Edit("student", student, .delete) : Edit("student", student, .edit, [note]))
            if dice.chance(2) { edits.reverse() }
        }
        return edits
    }

    private func appoint(_ index: Int, _ dice: inout Seeded) throws -> [Edit] {
        if dice.chance(2), let row = try pick("appointment", index, &dice) {
            return [
                Edit(
                    "appointment", row, .edit,
                    [Mutation.Change("state", .text(dice.chance(2) ? "ended" : "active"))])
            ]
        }
        let role = dice.one(of: ["liaison", "coordinator", "coordinator", "mentor", "registrar"])
        return [
            Edit(
                "appointment", newRow(&dice), .create,
                [
                    Mutation.Change("officer", .id(Template.id(dice.one(of: Template.officerNames)))),
                    Mutation.Change("role", .text(role)),
                    Mutation.Change(
                        "target", role == "coordinator" ? .id(Template.id(dice.one(of: Template.chapters))) : .null),
                ])
        ]
    }

    private func deleteOrRestore(_ index: Int, _ dice: inout Seeded) throws -> [Edit] {
        let collection: CollectionName = dice.one(of: ["student", "membership", "liaison", "student"])
        guard let row = try pick(collection, index, &dice) else { return [] }
        let isDeleted = try devices[index].replica.row(collection, row)?.row.isDeleted ?? dice.chance(2)
        return [Edit(collection, row, isDeleted && !dice.chance(5) ? .restore : .delete)]
    }

    private func settle(_ index: Int, _ dice: inout Seeded) throws -> [Edit] {
        if dice.chance(2), let row = try pick("quarantine", index, &dice) { return try decide(row, index, &dice) }
        guard let row = try pick("conflict", index, &dice) else { return [] }
        return [Edit("conflict", row, .edit, [Mutation.Change("state", "settled")])]
    }

    /// Somebody accepts an edit set aside, makes it their own, or declines it; or a faulty program says so alone.
    private func decide(_ row: RowID, _ index: Int, _ dice: inout Seeded) throws -> [Edit] {
        let decision = dice.one(of: ["accepted", "accepted", "declined", "pending"])
        let settling = Edit("quarantine", row, .edit, [Mutation.Change("state", .text(decision))])
        let replica = devices[index].replica
        guard decision == "accepted", !dice.chance(4), let entry = try replica.row("quarantine", row)?.row,
            entry.values[Quarantine.Position.action].text == "edit",
            let collection = entry.values[Quarantine.Position.collection].text,
            let concerned = entry.values[Quarantine.Position.row].text.flatMap({ RowID($0) }),
            case .object(let members) = entry.values[Quarantine.Position.values],
            let declaration = replica.rules.catalogue[CollectionName(collection)],
            members.allSatisfy({ declaration.position(of: $0.name) != nil })
        else { return [settling] }
        note("accepted what was set aside")
        return [
            Edit(CollectionName(collection), concerned, .edit, members.map { Mutation.Change($0.name, $0.value) }),
            settling,
        ]
    }

    /// What a faulty or foreign client might send.
    private func blunder(_ index: Int, _ dice: inout Seeded) throws -> [Edit] {
        let student = try pick("student", index, &dice) ?? newRow(&dice)
        switch dice.below(6) {
        case 0:
            if dice.chance(2) { return try enterStudent(index, as: student, &dice) }
            return [Edit("student", student, .create, [Mutation.Change("name", "twice")])]
        case 1: return [Edit("student", student, .edit, [Mutation.Change("name", .null)])]
        case 2: return [Edit("student", newRow(&dice), .edit, [Mutation.Change("shared", true)])]
        case 3:
            guard let touch = try pick("touch", index, &dice) else { return [] }
            return [Edit("touch", touch, .edit, [Mutation.Change("private", true)])]
        case 4:
            guard let row = try pick("membership", index, &dice) else { return [] }
            return [Edit("membership", row, .edit, [Mutation.Change("student", .id(student))])]
        default:
            return [
                Edit(
                    "student", student, .edit, [Mutation.Change("shared", true)],
                    base: Stamp(HybridTime(Milliseconds(clock.now + 4_000_000_000)), ReplicaID(0xD001)))
            ]
        }
    }
}
