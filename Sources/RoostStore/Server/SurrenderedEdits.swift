import GRDB
import RoostSchema
import RoostSync

/// Refused edits that their author's device may no longer keep, because their rows left it.
extension ServerStore {
    /// Sets them aside for whoever holds their rows now, and tells which are safe here.
    ///
    /// Each mutation is set aside once, however often it is brought. One that this server never decided is left with the
    /// device, if it is of its `current` incarnation: the server was restored from an older copy and will be asked again.
    func take(
        _ surrendered: [Surrender], from device: Device, in current: Int64, now: Milliseconds,
        correction: ClockCorrection, _ db: Database
    ) throws -> [Surrender.Name] {
        let statement = try BoundStatement(db, "SELECT incarnation, last_number FROM replica WHERE id = ?")
        try statement.bind(1, device.replica)
        guard try statement.step() else { return [] }
        var (incarnation, last) = (statement.integer(0), statement.integer(1))
        statement.reset()
        // A device that began anew says so with its first edit, and may have none for long.
        if current > incarnation { (incarnation, last) = (current, 0) }
        var safe: [Surrender.Name] = []
        for surrender in surrendered {
            let number = surrender.mutation.number
            guard surrender.incarnation < incarnation || surrender.incarnation == incarnation && number <= last else {
                continue
            }
            if try setAside(surrender, from: device, now: now, correction: correction, db) {
                safe.append(surrender.name)
            }
        }
        return safe
    }

    private func setAside(
        _ surrender: Surrender, from device: Device, now: Milliseconds, correction: ClockCorrection, _ db: Database
    ) throws -> Bool {
        let mutation = surrender.mutation
        guard let collection = rules.catalogue.position(of: mutation.collection) else { return false }
        let id = Quarantine.id(of: mutation.number, incarnation: surrender.incarnation, by: device.replica)
        let source = ServerRows(store: self, db: db)
        let set = WorkingSet(rules, source: source)
        // Nobody is to decide about what was erased: it is as safe here as it may be.
        if try isErased(mutation, of: collection, db) { return true }
        if let quarantine = rules.catalogue.position(of: Quarantine.collection) {
            let key = RowKey(quarantine, id)
            if try source.row(key) != nil { return true }
            // Decided about long ago.
            if try !source.erased([key]).isEmpty { return true }
        }
        let unit = mutation.group.map { "g\($0)" } ?? "\(mutation.number)"
        let entry = Quarantine.Entry(
            id: id, row: RowKey(collection, mutation.row), action: mutation.action, changes: mutation.changes,
            author: device.officer, device: device.label,
            madeAt: correction.corrected(mutation.time, mark: mutation.mark).moment,
            unit: "\(device.replica) \(surrender.incarnation) \(unit)", place: mutation.number, reason: .leftScope)
        guard let edit = try creation(settingAside: entry, in: set, now: now) else { return false }
        do {
            _ = try write([edit], by: device.officer, as: writer, db)
            return true
        } catch is RefusedWrite {
            return false
        }
    }

    /// Whether an edit is of a row that was erased, or about one.
    private func isErased(_ mutation: Mutation, of collection: Int, _ db: Database) throws -> Bool {
        var keys = [RowKey(collection, mutation.row)]
        if let subject = rules.subjects[collection] {
            let field = rules.catalogue.collections[collection].fields[subject.position].name.text
            for change in mutation.changes where change.field == field {
                if let id = change.value.id ?? change.value.text.flatMap({ RowID($0) }) {
                    keys.append(RowKey(subject.collection, id))
                }
            }
        }
        let statement = try BoundStatement(db, "SELECT 1 FROM erased WHERE collection = ? AND row = ?")
        defer { statement.reset() }
        return try keys.contains { key in
            defer { statement.reset() }
            try statement.bind(1, numbers[key.collection])
            try statement.bind(2, key.id)
            return try statement.step()
        }
    }
}
