package import RoostSchema
import RoostStore
import RoostSync

/// An officer as the operator's commands list them.
package struct OfficerEntry: Hashable, Sendable {
    package let id: RowID
    package let name: String
    /// Roles held now.
    package let roles: [RoleName]
}

/// The first officers of a county come from the operator; later ones are rows like any other.
extension AccountDesk {
    /// Officers by identity or exact name; all of them for nil.
    package func officers(matching text: String?) async throws -> [OfficerEntry] {
        guard let name = store.rules.catalogue["officer"]?.position(of: "name" as FieldName) else { return [] }
        let id = text.flatMap { RowID($0) }
        let now = store.clock()
        var entries: [OfficerEntry] = []
        for row in try await store.rows(of: "officer") {
            let called = row.values[name].text ?? ""
            guard text == nil || row.key.id == id || called == text else { continue }
            let grants = try await store.principal(of: row.key.id).grants
            let roles = Set(grants.filter { $0.holds(at: now) }.map(\.role)).sorted()
            entries.append(OfficerEntry(id: row.key.id, name: called, roles: roles))
        }
        return entries.sorted { $0.id < $1.id }
    }

    /// Writes an officer and the grant of a role, both or neither.
    package func addOfficer(name: String, unit: String?, role: RoleName, target: RowID?) async throws -> RowID {
        let now = store.clock().value
        let officer = RowID(milliseconds: now, random: UInt128.random(in: .min ... .max))
        let grant = RowID(milliseconds: now, random: UInt128.random(in: .min ... .max))
        var card: [FieldName: Value] = ["name": .text(name), "status": "serving"]
        card["unit"] = unit.map { .text($0) }
        var authority: [FieldName: Value] = ["officer": .id(officer), "role": .text(role.text), "state": "active"]
        authority["target"] = target.map { .id($0) }
        _ = try await store.write(
            [
                TrustedEdit("officer", officer, .create, card),
                TrustedEdit("authority_grant", grant, .create, authority),
            ], by: DataDirectory.server)
        return officer
    }
}
