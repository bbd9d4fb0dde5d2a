import GRDB
import RoostClient
import RoostSchema
import RoostStore
import RoostSync

/// What must be true once faults have stopped and everybody has synchronised.
extension World {
    func comeToRest() async throws {
        say { "Everything comes to rest." }
        luck = nil
        for _ in 0..<2 {
            for index in devices.indices where violation == nil {
                let answered = told.count
                try await synchronise(index)
                if devices[index].lastSync != clock.now {
                    fail(.liveness, "\(devices[index].seat.device.label) cannot synchronise over a good line")
                }
                if told.count == answered { note("nothing to send") }
            }
        }
        guard violation == nil else { return }
        accountForEdits()
        try findValues()
        judgeWinners()
        for index in devices.indices {
            let held = model.held(by: devices[index].seat.officer.description, at: clock.now)
            try searchFiles(index, holding: held)
        }
        if violation == nil { try await compareWithFresh() }
    }

    /// Every number has exactly one verdict, and every edit that was made has a number that was answered.
    private func accountForEdits() {
        for device in devices {
            for name in device.edits.keys where told[name.key] == nil {
                fail(.accounting, "\(device.seat.device.label) \(name.key) has no verdict")
            }
            // Of earlier incarnations some were given again under other numbers.
            let own = device.edits.keys.filter { $0.replica == device.seat.device.replica.bits }
            let newest = own.map(\.incarnation).max() ?? 0
            let numbers = own.filter { $0.incarnation == newest }.map(\.number)
            if sometimes["server restored"] == nil, numbers.count != Int(numbers.max() ?? 0) {
                fail(.accounting, "numbers of \(device.seat.device.label) have gaps")
            }
        }
    }

    /// Every value anybody typed is in its row, in the history, in quarantine, or in its author's box.
    private func findValues() throws {
        let queue = try DatabaseQueue(path: serverDirectory + "/" + ServerStore.fileName)
        defer { try? queue.close() }
        let (history, set, parked) = try queue.read { db in
            (
                Set(
                    try String.fetchAll(
                        db,
                        sql: """
                            SELECT lower(hex(row)) || ' ' || (loss.value ->> '$[0]') || ' ' || (loss.value -> '$[1]')
                            FROM history, json_each(losses) AS loss
                            """)),
                Set(
                    try String.fetchAll(
                        db, sql: "SELECT lower(hex(id)) || ' ' || proposed_values FROM quarantine")),
                try String.fetchAll(db, sql: "SELECT CAST(body AS TEXT) FROM parked")
            )
        }
        let boxes = try devices.map { Set(try $0.replica.refused().map { "\($0.number) \($0.row)" }) }
        for device in devices {
            for (name, mutation) in device.edits {
                let (key, number) = (name.key, name.number)
                guard let verdict = told[key] else { continue }
                let asideName = name.asideID.description.replacing("-", with: "") + " "
                if verdict.outcome == "rejected" {
                    // An answer that never arrived before the device began anew: it said the same under another number.
                    let isSaidAgain = device.edits.contains { other, again in
                        other.replica == name.replica && other.incarnation > name.incarnation
                            && says(again, the: mutation)
                    }
                    guard !isSaidAgain else { continue }
                    // In the box of a device that sent it (two did, where one is a copy of the other), or on the server
                    // since the row left the device.
                    let isBoxed = zip(devices, boxes).contains { other, box in
                        other.edits[name] != nil && box.contains("\(number) \(mutation.row)")
                    }
                    if !isBoxed, !set.contains(where: { $0.hasPrefix(asideName) }) {
                        let known = try devices.map { "\($0.seat.device.label): \(try notes(of: name, on: $0))" }
                        fail(.accounting, "refused \(key) on \(mutation.row) is nowhere; \(known)")
                    }
                    continue
                }
                let place = place(mutation.collection, mutation.row)
                // What was deleted long ago, or gave way long ago, is kept no longer.
                guard !model.gone.contains(place), toldAt[key] ?? 0 > historyHorizon else { continue }
                // An equal value set by somebody else may be the one that is kept.
                let row = mutation.row.description.replacing("-", with: "")
                for change in mutation.changes where !change.value.isNull {
                    let value = String(decoding: change.value.json, as: UTF8.self)
                    let inRow = model.rows[place]?.value(change.field) == Plain(change.value)
                    let inHistory = history.contains("\(row) \(change.field) \(value)")
                    let inQuarantine = set.contains { $0.hasPrefix(asideName) && $0.contains(value) }
                    // A value equal to the mask its author saw was no change.
                    let isMask =
                        model.rows[place].map {
                            Rulebook.mask(change.field, $0.value(change.field)) == Plain(change.value)
                        } ?? false
                    let isParked = parked.contains { $0.contains(value) && $0.contains("\(mutation.row)") }
                    if !inRow, !inHistory, !inQuarantine, !isMask, !isParked,
                        change.value.text?.contains("****") != true
                    {
                        fail(.lostValue, "\(place).\(change.field) = \(Plain(change.value)) of #\(number) \(verdict)")
                    }
                }
            }
        }
    }

    /// Whether two mutations are one edit, under whatever number.
    func says(_ mutation: Mutation, the other: Mutation) -> Bool {
        mutation.row == other.row && mutation.time == other.time && mutation.changes == other.changes
    }

    /// What a device has written down about an edit, for the message of a failure.
    private func notes(of name: EditName, on device: SimulatedDevice) throws -> [String] {
        let queue = try DatabaseQueue(path: device.directory + "/" + Replica.fileName)
        defer { try? queue.close() }
        return try queue.read { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT 'refused, departed ' || departed FROM refused WHERE incarnation = $1 AND number = $2
                    UNION ALL SELECT 'journal, ' || outcome FROM journal WHERE incarnation = $1 AND number = $2
                    UNION ALL SELECT 'outbox, answered ' || answered FROM outbox WHERE number = $2
                    """, arguments: [name.incarnation, name.number])
        }
    }

    /// The value with the greatest stamp among all that were accepted is the one that stands, in whatever order they came.
    private func judgeWinners() {
        var greatest: [String: ReferenceModel.Accepted] = [:]
        for accepted in model.accepted where Rulebook.ranks(accepted.place.kind, accepted.field) == nil {
            let key = "\(accepted.place.kind) \(accepted.place.id) \(accepted.field)"
            if greatest[key].map({ $0.stamp < accepted.stamp }) ?? true { greatest[key] = accepted }
        }
        for accepted in greatest.values {
            guard let cell = model.rows[accepted.place]?.cells[accepted.field] else { continue }
            // A limit may have put another value in place of the one that was sent.
            if cell.value != accepted.value, cell.value != .text("proposed") {
                fail(.winner, "\(accepted.place).\(accepted.field) is \(cell), not \(accepted)")
            }
        }
    }

    /// A device that begins from nothing, by the smallest pages, comes to the same.
    private func compareWithFresh() async throws {
        let index = Int(script.seed % UInt64(devices.count))
        let seat = devices[index].seat
        guard let device = template.spares[seat.officer] else { return }
        let place = directory + "/fresh"
        let fresh = Seat(officer: seat.officer, role: seat.role, device: device)
        let deviceClock = DeviceClock(clock, skew: 0, hasMarks: true)
        devices.append(
            SimulatedDevice(
                seat: fresh, clock: deviceClock, directory: place, version: 3,
                replica: try Template.create(fresh, place, version: 3), lastSync: 0))
        try await synchronise(devices.count - 1)
        if devices[devices.count - 1].lastSync != clock.now { fail(.liveness, "a fresh device cannot synchronise") }
    }
}
