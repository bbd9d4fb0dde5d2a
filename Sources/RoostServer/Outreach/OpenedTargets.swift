import RoostCourier
import RoostSchema
import RoostStore
import RoostSync
import Synchronization

/// Where endpoints' deliveries go, opened once for the many of a digest.
final class OpenedTargets: Sendable {
    private struct Entry {
        let sealed: [[UInt8]]
        let target: DeliveryTarget
        let openedAt: Milliseconds
    }

    /// For so long a secret may sign after the end of its overlap with another, in milliseconds.
    private static let freshness: Int64 = 60_000
    private static let most = 4096

    private let vault: EndpointVault
    private let entries = Mutex<[RowID: Entry]>([:])

    init(vault: EndpointVault) { self.vault = vault }

    /// - Throws: ``UnsealableEndpoint``, also for an endpoint that a person delivers to; what is wrong with its address.
    func target(of endpoint: EndpointRecord, at now: Milliseconds) throws -> DeliveryTarget {
        // A new address or secret is sealed anew.
        let sealed = [endpoint.sealedAddress, endpoint.sealedSecrets]
        if let entry = entries.withLock({ $0[endpoint.id] }), entry.sealed == sealed,
            (entry.openedAt.value...entry.openedAt.value + Self.freshness).contains(now.value)
        {
            return entry.target
        }
        guard let target = try vault.target(of: endpoint, at: now) else {
            throw UnsealableEndpoint(endpoint: endpoint.id)
        }
        entries.withLock { entries in
            if entries.count >= Self.most { entries = [:] }
            entries[endpoint.id] = Entry(sealed: sealed, target: target, openedAt: now)
        }
        return target
    }
}
