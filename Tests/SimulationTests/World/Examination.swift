import Foundation
import GRDB
import RoostSchema
import RoostStore
import RoostSync

/// Holds a device that has just synchronised against the model.
extension World {
    func examine(_ index: Int, purged: Bool) throws {
        let device = devices[index]
        let officer = device.seat.officer.description
        let held = model.held(by: officer, at: clock.now)
        let scopes = Set(try device.replica.status().scopes.map(\.description))
        if scopes != held { fail(.view, "\(device.seat.device.label) holds \(scopes), not \(held)") }
        if !held.subtracting(device.held).isDisjoint(with: device.everHeld) { note("scope regained") }
        devices[index].held = held
        devices[index].everHeld.formUnion(held)
        if try device.replica.status().pending > 0 { fail(.view, "edits still wait after synchronising") }
        try compare(
            device.replica, device.version, with: model.view(of: officer, at: clock.now), device.seat.device.label)
        if purged { try searchFiles(index, holding: held) }
    }

    /// Every row and every field, and no other.
    func compare(
        _ replica: Replica, _ version: Int, with expected: [Place: [String: ReferenceModel.Shown]], _ label: String
    ) throws {
        var missing = expected
        for collection in replica.rules.catalogue.collections {
            for shown in try replica.rows(of: collection.name) {
                var fields: [String: ReferenceModel.Shown] = [:]
                for (position, value) in shown.row.values.enumerated()
                where !value.isNull && !Self.isLabel(collection.fields[position].name.text) {
                    fields[collection.fields[position].name.text] = ReferenceModel.Shown(
                        value: Plain(value), isMasked: shown.masked.contains(position))
                }
                fields = concerned(fields)
                let place = place(collection.name.text, shown.row.key.id)
                guard var wanted = missing.removeValue(forKey: place) else {
                    fail(.view, "\(label) shows \(place), which its owner may not see: \(fields)")
                    continue
                }
                // What this version of the program does not know it carries without showing it.
                wanted = wanted.filter { collection.position(of: $0.key) != nil }
                if shown.isPending { fail(.view, "\(place) is pending after everything was answered") }
                guard fields != wanted else { continue }
                for field in Set(fields.keys).union(wanted.keys).sorted() where fields[field] != wanted[field] {
                    fail(
                        .view,
                        "\(label) shows \(place).\(field) as \(fields[field]?.description ?? "–"), not "
                            + "\(wanted[field]?.description ?? "–") \(model.rows[place]?.cells[field]?.stamp.description ?? "")"
                    )
                }
            }
        }
        for place in missing.keys.sorted() { fail(.view, "\(label) does not show \(place)") }
    }

    /// After a loss the files hold nothing of what is no longer to be seen, but for what was typed on this device and did
    /// not become, or has yet to become, a value that it was shown.
    ///
    /// That is what waits here or for somebody's decision, what came back to be corrected, and what a newcomer was entered
    /// with, which may be masked from the first.
    func searchFiles(_ index: Int, holding held: Set<String>) throws {
        let directory = devices[index].directory
        let typed = devices[index].edits.reduce(into: Set<Int>()) { typed, edit in
            // A server that forgets deleted rows sooner than a device its journal, as here, leaves what was typed into them.
            let isGone = model.gone.contains(place(edit.value.collection, edit.value.row))
            let isShown =
                edit.value.action != .create && !isGone
                && ["applied", "merged", "late"].contains(told[edit.key.key]?.outcome)
            let found = canaries.found(in: Value.list(edit.value.changes.map(\.value)).json)
            if !isShown { return typed.formUnion(found) }
            // A field that the server has yet to learn is shown by the device that knows it, as it will be by all.
            typed.formUnion(
                found.filter { number in
                    canaries.origins[number].map { !model.knows($0.place.kind, $0.field) } ?? false
                })
            let isWithheld = found.subtracting(typed).contains { number in
                canaries.origins[number].map { !model.mayRead($0.field, $0.place, holding: held) } ?? false
            }
            if isWithheld { note("typed and withheld") }
        }
        let owed = try facts(like: "%deleted%", in: directory + "/" + Replica.fileName)
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) {
            guard let data = FileManager.default.contents(atPath: directory + "/" + name) else { continue }
            for number in canaries.found(in: Array(data)) {
                guard let origin = canaries.origins[number], !typed.contains(number) else { continue }
                // What deleted rows held goes within the hour, whoever might have read it.
                if !owed.isEmpty, model.rows[origin.place]?.isDeleted ?? false { continue }
                if !model.mayRead(origin.field, origin.place, holding: held) {
                    let known = try whereabouts(of: number, in: directory + "/" + Replica.fileName)
                    let author = origin.device.map { devices[$0].seat.device.label } ?? "the server"
                    fail(
                        .purge,
                        "\(name) of \(devices[index].seat.device.label) still holds \(number), a value of \(origin.place)."
                            + "\(origin.field) that \(author) wrote; it stands in \(known)")
                }
            }
        }
        note("files searched")
    }

    /// Whether a device owes the server word of what left it and cannot have given it, because its files are not clean.
    func cannotConfirm(_ index: Int) throws -> Bool {
        let queue = try DatabaseQueue(path: devices[index].directory + "/" + Replica.fileName)
        defer { try? queue.close() }
        return try queue.read { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM meta WHERE name IN ('purged_rows', 'log_holds_purged')")
                == 2
        }
    }

    /// The columns in which a planted text stands, and what the replica still owes.
    private func whereabouts(of canary: Int, in file: String) throws -> [String] {
        let queue = try DatabaseQueue(path: file)
        defer { try? queue.close() }
        let digits = String(canary)
        let text = String(repeating: "0", count: max(0, 6 - digits.count)) + digits
        return try queue.read { db in
            var found: [String] = []
            let columns = try GRDB.Row.fetchAll(
                db,
                sql: """
                    SELECT m.name AS "table", p.name AS "column" FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS p
                    WHERE m.type = 'table'
                    """)
            for column in columns {
                let (table, name) = (column["table"] as String, column["column"] as String)
                let count = try Int.fetchOne(
                    db, sql: "SELECT count(*) FROM \"\(table)\" WHERE CAST(\"\(name)\" AS TEXT) LIKE '%' || ? || '%'",
                    arguments: [text])
                if let count, count > 0 { found.append("\(table).\(name)") }
            }
            return found
        } + facts(like: "%purged%", in: file)
    }

    /// What a replica notes under names like this.
    private func facts(like pattern: String, in file: String) throws -> [String] {
        let queue = try DatabaseQueue(path: file)
        defer { try? queue.close() }
        return try queue.read { db in
            try String.fetchAll(db, sql: "SELECT name FROM meta WHERE name LIKE ?", arguments: [pattern])
        }
    }
}
