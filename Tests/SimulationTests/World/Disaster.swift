import Foundation
import GRDB
import RoostClient
import RoostSchema
import RoostStore
import RoostSync

/// The server is put back from a copy made some steps earlier, and gets back what it had acknowledged.
///
/// While devices bring it back the model only listens. Then every edit that was lost must have come back under its stamp,
/// or be one that its device said it could not give; and the model goes on from what the server has, which every device
/// must show.
extension World {
    private enum Way: CaseIterable {
        /// By the operator's command; by copying the database alone; by a copy of the whole machine.
        case restored, putBack, machine
    }

    func restoreBackup(_ dice: inout Seeded) async throws {
        let way = sabotage == .forgetEpoch ? .machine : dice.one(of: Way.allCases)
        let backup = try backUp(way)
        let (rows, versions) = (model.rows, model.versions)
        for _ in 0..<3 + dice.below(8) where violation == nil {
            let index = dice.below(devices.count)
            if dice.chance(3) { try await synchronise(index) } else { try act(index, &dice) }
        }
        for index in devices.indices where violation == nil && !dice.chance(3) { try await synchronise(index) }
        guard violation == nil else { return }
        // A device that is wrong about itself is not believed again within the hour.
        clock.advance(2 * 3_600_000)
        try putBack(backup, way)
        say { "   the server is \(way)" }
        note("server restored")
        isRecovering = true
        let lost = try await dropLost()
        for index in devices.indices {
            // Answers of before belong to a history that is no more.
            devices[index].answers = []
            devices[index].unrecovered = 0
        }
        let order = devices.indices.shuffled(using: &dice)
        for index in order where violation == nil {
            if dice.chance(2) {
                luck = dice
                try await synchronise(index)
                luck = nil
                if dice.chance(3) { try reopen(index) }
            }
            try await synchronise(index)
        }
        for index in order where violation == nil { try await synchronise(index) }
        guard violation == nil else { return }
        judgeRecovery(lost)
        try await adopt()
        judgeRecovered()
        model.versions = versions
        for (place, was) in rows where model.rows[place] != was {
            model.versions[place, default: []].append((clock.now, was))
        }
        // Nor do those given before somebody told the server of its loss.
        for index in devices.indices { devices[index].answers.removeAll { $0.epoch != store.epoch } }
        isRecovering = false
        for index in order where violation == nil { try await synchronise(index) }
    }

    private func backUp(_ way: Way) throws -> String {
        guard way != .machine else { return try copy(serverDirectory, "backup") }
        let folder = directory + "/backup"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let path = folder + "/\(UUID().uuidString)"
        try store.backUp(to: path)
        return path
    }

    private func putBack(_ backup: String, _ way: Way) throws {
        try store.close()
        let file = serverDirectory + "/" + ServerStore.fileName
        switch way {
        case .restored: _ = try ServerStore.restore(backup, to: serverDirectory)
        case .putBack:
            for suffix in ["-wal", "-shm", ""] { try? FileManager.default.removeItem(atPath: file + suffix) }
            try FileManager.default.copyItem(atPath: backup, toPath: file)
        case .machine:
            try FileManager.default.removeItem(atPath: serverDirectory)
            serverDirectory = backup
        }
        store = try Self.serve(serverDirectory, version: model.version, clock, snapshots: script.snapshots)
    }

    /// Edits whose verdicts the server forgot, by device; they are forgotten here too, until they are given again.
    private func dropLost() async throws -> [[EditName: PlainVerdict]] {
        let last = try await progress()
        var forgotten: Set<String> = []
        defer { for key in forgotten { (told[key], decided[key]) = (nil, nil) } }
        return try devices.indices.map { index in
            let boxed = Set(try devices[index].replica.refused().map { "\($0.number) \($0.row)" })
            var lost: [EditName: PlainVerdict] = [:]
            var surrendered: [EditName] = []
            for name in devices[index].edits.keys {
                // A later incarnation may be one that the copy has never heard of.
                let isLost = last[name.replica].map { restored in
                    (name.incarnation, name.number) > (restored.incarnation, restored.number)
                }
                // Unless the device was never told that it had been taken.
                if wasSurrenderLost(name), let row = devices[index].edits[name]?.row,
                    !boxed.contains("\(name.number) \(row)")
                {
                    if isLost == true { forgotten.insert(name.key) }
                    surrendered.append(name)
                    continue
                }
                guard isLost == true, let verdict = told[name.key] else { continue }
                // What was refused changed nothing: it stays refused, on the device.
                guard verdict.outcome != "rejected" else { continue }
                lost[name] = verdict
                forgotten.insert(name.key)
                devices[index].edits[name] = nil
            }
            // With one goes the same of an earlier incarnation, whose refusal the device never heard of.
            for name in surrendered {
                guard let edit = devices[index].edits[name] else { continue }
                devices[index].edits = devices[index].edits.filter { other, said in
                    other.replica != name.replica || other.incarnation > name.incarnation || !says(said, the: edit)
                }
            }
            // What another device said of which this one is a copy, that one gives again.
            return lost.filter { $0.key.replica == devices[index].seat.device.replica.bits }
        }
    }

    /// Whether an edit is gone that its device gave up to the server, which has lost it since: nobody has it any more.
    private func wasSurrenderLost(_ name: EditName) -> Bool {
        let place = Place(kind: "quarantine", id: name.asideID.description)
        guard told[name.key]?.outcome == "rejected", model.rows[place] != nil, stamp(of: place) == nil else {
            return false
        }
        note("surrendered edit lost")
        return true
    }

    /// What was given again stands in the server's rows under its stamp, or something newer does.
    private func judgeRecovered() {
        for device in devices {
            for (name, mutation) in device.edits {
                guard let given = mutation.recovered.map({ Dated($0) }), let verdict = told[name.key],
                    ["applied", "late"].contains(verdict.outcome)
                else { continue }
                let place = place(mutation.collection, mutation.row)
                // It may have been deleted since it came back, after an earlier loss, and collected.
                guard !model.gone.contains(place) else { continue }
                guard let row = model.rows[place] else {
                    fail(.recovery, "\(name.key) came back, and \(place) is not there")
                    continue
                }
                for change in mutation.changes where Rulebook.ranks(place.kind, change.field) == nil {
                    // A mask that its author saw, which may leave nothing, was no change, and a limit may have put another
                    // value in place of one.
                    guard let cell = row.cells[change.field], cell.value != .text("proposed"),
                        change.value.text?.contains("****") != true,
                        Rulebook.group(place.kind, change.field) != "contact"
                            || Rulebook.mask(change.field, cell.value) != Plain(change.value)
                    else { continue }
                    if cell.stamp < given || cell.stamp == given && cell.value != Plain(change.value) {
                        fail(.recovery, "\(place).\(change.field) is \(cell), not \(Plain(change.value)) of \(given)")
                    }
                }
            }
        }
    }

    private func judgeRecovery(_ lost: [[EditName: PlainVerdict]]) {
        for (index, lost) in lost.enumerated() {
            let device = devices[index]
            var again: [Dated: EditName] = [:]
            for (name, mutation) in device.edits {
                if let stamp = mutation.recovered { again[Dated(stamp)] = name }
            }
            var missing = 0
            for (name, verdict) in lost {
                guard let stamp = verdict.stamp, let other = again[stamp], let given = told[other.key] else {
                    missing += 1
                    continue
                }
                note("edit given again")
                if ["applied", "merged", "late"].contains(given.outcome), given.stamp != stamp {
                    fail(.recovery, "\(name.key) came back at \(given.stamp?.description ?? "–"), not \(stamp)")
                }
            }
            if missing > device.unrecovered {
                fail(.recovery, "\(missing) edits of \(device.seat.device.label) did not come back")
            }
            if missing > 0 { note("edit not given again") }
            // What had been sent without an answer waits, and is sent under another number.
            let answered = device.edits.filter { told[$0.key.key] != nil }.values
            for (name, mutation) in device.edits where told[name.key] == nil {
                guard answered.contains(where: { $0.row == mutation.row && $0.changes == mutation.changes }) else {
                    fail(.recovery, "\(name.key) was sent, and is forgotten")
                    continue
                }
                devices[index].edits[name] = nil
            }
        }
    }
}
