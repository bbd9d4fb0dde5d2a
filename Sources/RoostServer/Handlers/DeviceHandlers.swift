import Hummingbird
import RoostAPI
import RoostSchema
import RoostStore
package import RoostSync

/// Which devices there are, and ending one's access.
struct DeviceHandlers: Sendable {
    let accounts: AccountDesk
    let gatekeeper: Gatekeeper

    /// `GET /v1/devices`: one's own devices; everybody's for who manages accounts.
    func list(_ request: Request, _ context: RoostContext) async throws -> Response {
        let sender = try context.sender
        let seesAll = try await managesAccounts(sender)
        let records = try await accounts.store.devices(of: seesAll ? nil : sender.officer)
        return Response(
            json: jsonObject { writer in
                writer.name("devices")
                writer.array { writer in for record in records { record.write(to: &writer) } }
            })
    }

    /// `POST /v1/devices/{replica}/revoke`: one's own device, say a lost one; any for who manages accounts.
    func revoke(_ request: Request, _ context: RoostContext) async throws -> Response {
        let sender = try context.sender
        guard let replica = context.parameters.get("replica").flatMap({ ReplicaID($0) }) else {
            throw Refusal(.notFound, "no such device")
        }
        if try await !managesAccounts(sender) {
            let own = try await accounts.store.devices(of: sender.officer)
            // Not `forbidden`: who may not see a device is not told that it exists.
            guard own.contains(where: { $0.device.replica == replica }) else {
                throw Refusal(.notFound, "no such device")
            }
        }
        try await accounts.store.revoke(replica)
        return Response(
            json: jsonObject { writer in
                writer.name("replica")
                writer.plain(replica.description)
                writer.name("revoked")
                writer.boolean(true)
            })
    }

    /// `POST /v1/devices/{replica}/purged`: a revoked device says that what it had is gone from its disk.
    func purged(_ request: Request, _ context: RoostContext) async throws -> Response {
        let sender = try gatekeeper.revokedDevice(of: request, context)
        guard context.parameters.get("replica") == sender.replica.description else {
            throw Refusal(.forbidden, "a device speaks for itself only")
        }
        try await accounts.store.confirmRevoked(sender.replica)
        return Response(
            json: jsonObject { writer in
                writer.name("replica")
                writer.plain(sender.replica.description)
                writer.name("purged")
                writer.boolean(true)
            })
    }

    private func managesAccounts(_ sender: Device) async throws -> Bool {
        let store = accounts.store
        return try await store.principal(of: sender.officer)
            .has(.manageAccounts, at: store.clock(), store.rules.catalogue)
    }
}

extension DeviceRecord {
    /// As `GET /v1/devices` and `roostd devices` tell of it.
    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("replica")
            writer.plain(device.replica.description)
            writer.name("officer")
            writer.id(device.officer)
            writer.name("label")
            writer.string(device.label)
            writer.name("enrolled_at")
            writer.integer(enrolled.value)
            if let seen {
                writer.name("seen_at")
                writer.integer(seen.value)
            }
            if let revoked {
                writer.name("revoked_at")
                writer.integer(revoked.value)
            }
            writer.name("offset")
            writer.integer(offset)
            if let purged {
                writer.name("purged_at")
                writer.integer(purged.value)
            }
            if let purgeAgreed {
                writer.name("purge_agreed")
                writer.boolean(purgeAgreed)
            }
            guard !unconfirmed.isEmpty else { return }
            writer.name("unconfirmed")
            writer.object { writer in
                writer.name("scopes")
                writer.array { writer in for scope in unconfirmed.scopes { writer.plain(scope.description) } }
                writer.name("rows")
                writer.integer(Int64(unconfirmed.rows))
                if !unconfirmed.unknown.isEmpty {
                    writer.name("unknown")
                    writer.array { writer in for scope in unconfirmed.unknown { writer.plain(scope.description) } }
                }
                if let told = unconfirmed.told {
                    writer.name("told_at")
                    writer.integer(told.value)
                }
            }
        }
    }
}
