import RoostAPI
package import RoostSchema
package import RoostStore
package import RoostSync

/// What may be done with accounts, over HTTP and from the command line alike.
package struct AccountDesk: Sendable {
    package let store: ServerStore
    package let key: ServerKey
    package let codeMinutes: Int

    package init(store: ServerStore, key: ServerKey, codeMinutes: Int) {
        self.store = store
        self.key = key
        self.codeMinutes = codeMinutes
    }

    /// Makes a one-time code for an officer.
    package func makeCode(
        for officer: RowID, madeBy maker: RowID?
    ) async throws -> (code: EnrolmentCode, expiry: Milliseconds) {
        let code = EnrolmentCode()
        let expiry = store.clock() + Int64(codeMinutes) * 60_000
        try await store.keepCode(hash: code.hash(key), for: officer, until: expiry, madeBy: maker)
        return (code, expiry)
    }

    func enrol(
        _ code: EnrolmentCode, replica: ReplicaID, label: String, expecting officer: RowID? = nil
    ) async throws -> (answer: EnrolmentAnswer, device: Device) {
        let token = DeviceToken()
        let device = try await store.redeemCode(
            hash: code.hash(key), replica: replica, label: label, tokenHash: token.hash, expecting: officer)
        let now = store.clock()
        let principal = try await store.principal(of: device.officer)
        let roles = Set(principal.grants.filter { $0.holds(at: now) }.map(\.role)).sorted()
        let answer = EnrolmentAnswer(
            token: token.text, officer: device.officer.description, name: try await name(of: device.officer),
            roles: roles.map(\.text), epoch: store.epoch)
        return (answer, device)
    }

    func require(_ right: Right, of officer: RowID) async throws {
        let principal = try await store.principal(of: officer)
        guard principal.has(right, at: store.clock(), store.rules.catalogue) else {
            throw Refusal(.forbidden, "none of the officer's roles has the right \(right.rawValue)")
        }
    }

    /// The officer's name, from the collection that grants name; empty if there is no such row or field.
    package func name(of officer: RowID) async throws -> String {
        let catalogue = store.rules.catalogue
        guard let name = catalogue[catalogue.authority.collection]?[catalogue.authority.officer]?.target,
            let position = catalogue[name]?.position(of: "name" as FieldName)
        else { return "" }
        return try await store.rows(name, ids: [officer]).first?.values[position].text ?? ""
    }
}
