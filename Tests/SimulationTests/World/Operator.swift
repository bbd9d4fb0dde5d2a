import RoostSchema
import RoostStore
import RoostSync

/// What is done on the server itself.
extension World {
    /// Somebody changes authority on the server itself.
    func operate(_ dice: inout Seeded) async throws {
        let collection = dice.chance(2) ? "appointment" : "liaison"
        guard let known = rows[collection], !known.isEmpty else { return }
        let row = dice.one(of: known)
        guard let record = model.rows[Place(kind: collection, id: row.description)], !record.isDeleted,
            record.value("state") == .text("active") || collection == "appointment"
        else { return }
        let isActive = record.value("state") == .text("active")
        try await write(
            TrustedEdit(CollectionName(collection), row, .edit, ["state": .text(isActive ? "ended" : "active")]))
        say { "   the server sets \(collection)/\(row.description.suffix(4)) \(isActive ? "ended" : "active")" }
        note("operator acted")
    }

    /// A student's consent is given, withdrawn and given again, and a device comes after each.
    func reconsider(_ index: Int, _ dice: inout Seeded) async throws {
        guard let student = try pick("student", index, &dice),
            model.rows[Place(kind: "student", id: student.description)]?.isDeleted == false
        else { return }
        for consent in [true, false, true] where violation == nil {
            try await write(TrustedEdit("student", student, .edit, ["shared": .boolean(consent)]))
            say { "   the server sets student/\(student.description.suffix(4)) shared: \(consent)" }
            try await synchronise(index)
        }
    }

    private func write(_ edit: TrustedEdit) async throws {
        let receipt = try await store.write([edit], by: Template.id("registrar"))
        for verdict in receipt.verdicts { model.take(edit, verdict, at: clock.now) }
    }
}
