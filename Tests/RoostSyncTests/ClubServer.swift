import RoostSchema
import RoostSync

/// The club's server without a disk: keeps rows in dictionaries and applies plans, as the store does in SQLite.
final class ClubServer: RowSource {
    let rules = OrchardClub.rules
    var now: Milliseconds
    private(set) var stored: [RowKey: Row] = [:]
    private(set) var members: [ScopeKey: Set<RowKey>] = [:]
    private(set) var history: [HistoryEntry] = []
    private(set) var parked: [ParkedEntry] = []
    /// Up to when stamps may have been issued that the club has lost.
    var lostUntil: Milliseconds?
    var recoveryGrace = Int64.max
    var erasedRows: Set<RowKey> = []
    private var refusals: [ReplicaID: Set<RowKey>] = [:]
    private var intervals: [(change: AuthorityChange, until: Milliseconds?)] = []
    private var turns: [AdmissionChange] = []
    private var effective: [ReplicaID: HybridTime] = [:]
    private var owners: [ReplicaID: RowID] = [:]
    private var sequence = ServerSequence.zero

    /// The replica under which the server itself writes.
    static let writer = ReplicaID(0xF0)

    init(now: Int64 = 1_795_219_200_000) { self.now = Milliseconds(now) }

    func rows(_ keys: [RowKey]) -> [Row] { keys.compactMap { stored[$0] } }

    func rows(of collection: Int, referring position: Int, to targets: [RowID]) -> [Row] {
        stored.values.filter { row in
            guard row.key.collection == collection else { return false }
            // Rows of any collection are named by text.
            let named = row.values[position].id ?? row.values[position].text.flatMap { RowID($0) }
            return named.map { targets.contains($0) } ?? false
        }
    }

    func erased(_ keys: [RowKey]) -> Set<RowKey> { erasedRows.intersection(keys) }

    func refusedCreations(_ keys: [RowKey], by replica: ReplicaID) -> Set<RowKey> {
        (refusals[replica] ?? []).intersection(keys)
    }

    func officers(of replicas: Set<ReplicaID>) -> [ReplicaID: RowID] { owners.filter { replicas.contains($0.key) } }

    func tenures(of subjects: [RowID]) -> [LinkTenure] {
        intervals.compactMap { interval in
            guard case .link(let kind, let subject, let key) = interval.change.kind, subjects.contains(subject) else {
                return nil
            }
            return LinkTenure(
                scope: ScopeKey(kind, key), subject: subject, from: interval.change.at, until: interval.until)
        }
    }

    func admissions(of row: RowKey) -> [AdmissionChange] { turns.filter { $0.row == row } }

    func lastEffective(of replica: ReplicaID) -> HybridTime? { effective[replica] }

    func principal(_ keeper: RowID) -> Principal {
        Principal(
            officer: keeper,
            grants: intervals.compactMap { interval in
                guard case .grant(keeper, let role, let target) = interval.change.kind else { return nil }
                return Grant(role: RoleName(role), target: target, from: interval.change.at, until: interval.until)
            })
    }

    /// Decides a changeset of a keeper's device and applies the plan.
    ///
    /// Without `device`, what the device's clock says now, it is right.
    @discardableResult
    func push(
        _ mutations: [Mutation], from replica: ReplicaID, of keeper: RowID, device: Milliseconds? = nil,
        mark: Mutation.Mark? = nil
    ) throws -> Plan {
        owners[replica] = keeper
        let decider = Decider(
            rules: rules, principal: principal(keeper), replica: replica, now: now,
            correction: ClockCorrection(now: now, device: device ?? now, mark: mark), recoveryGrace: recoveryGrace,
            lostUntil: lostUntil)
        return try apply(decider, mutations)
    }

    /// Writes as the server itself does: validated, not judged.
    @discardableResult
    func write(_ mutations: [Mutation]) throws -> Plan {
        let decider = Decider(
            rules: rules, principal: Principal(officer: RowID(bits: 0), grants: [], isTrusted: true),
            replica: Self.writer, now: now, correction: ClockCorrection(now: now, device: now, mark: nil))
        return try apply(decider, mutations)
    }

    private func apply(_ decider: Decider, _ mutations: [Mutation]) throws -> Plan {
        let plan = try decider.decide(mutations, in: WorkingSet(rules, source: self), after: sequence)
        for row in plan.rows { stored[row.key] = row }
        for change in plan.memberships {
            if change.isMember {
                members[change.scope, default: []].insert(change.row)
            } else {
                members[change.scope]?.remove(change.row)
            }
        }
        for change in plan.authority {
            if change.begins {
                intervals.append((change, nil))
            } else if let index = intervals.lastIndex(where: {
                $0.until == nil && $0.change.row == change.row && $0.change.kind == change.kind
            }) {
                intervals[index].until = change.at
            }
        }
        turns += plan.admissions
        history += plan.history
        parked += plan.parked
        refusals[decider.replica, default: []].formUnion(plan.refusedCreations)
        refusals[decider.replica]?.subtract(plan.madeUpFor)
        effective[decider.replica] = plan.lastEffective ?? effective[decider.replica]
        sequence = plan.lastSequence
        return plan
    }

    func row(_ collection: CollectionName, _ id: RowID) -> Row? {
        rules.catalogue.position(of: collection).flatMap { stored[RowKey($0, id)] }
    }

    func value(_ field: FieldName, of collection: CollectionName, _ id: RowID) -> Value? {
        guard let row = row(collection, id) else { return nil }
        return rules.catalogue[collection]?.position(of: field).map { row.values[$0] }
    }

    /// The stamp of a field, for use as a base.
    func stamp(_ field: FieldName, of collection: CollectionName, _ id: RowID) -> Stamp? {
        guard let row = row(collection, id) else { return nil }
        return rules.catalogue[collection]?.position(of: field).map { row.stamp(of: $0) }
    }

    func isMember(_ collection: CollectionName, _ id: RowID, of scope: Scope) -> Bool {
        guard let position = rules.catalogue.position(of: collection), let key = rules.key(of: scope) else {
            return false
        }
        return members[key]?.contains(RowKey(position, id)) ?? false
    }

    /// Conflicts in the order of their identities.
    var conflicts: [Row] {
        guard let position = rules.catalogue.position(of: Conflict.collection) else { return [] }
        return stored.values.filter { $0.key.collection == position }.sorted { $0.key < $1.key }
    }

    /// Notes of parallel edits, in the order they were made.
    var parallels: [Row] {
        guard let position = rules.catalogue.position(of: ParallelEdit.collection) else { return [] }
        return stored.values.filter { $0.key.collection == position }.sorted { $0.sequence < $1.sequence }
    }

    /// Edits set aside, in the order they were made.
    var quarantine: [Row] {
        guard let position = rules.catalogue.position(of: Quarantine.collection) else { return [] }
        return stored.values.filter { $0.key.collection == position }.sorted { $0.stamp < $1.stamp }
    }

    /// Who is in which scope, computed from nothing: what `members` must equal at any time.
    func membersFromScratch() throws -> [ScopeKey: Set<RowKey>] {
        let set = WorkingSet(rules, source: self)
        var members: [ScopeKey: Set<RowKey>] = [:]
        for row in stored.values {
            for scope in try set.scopes(of: row) { members[scope, default: []].insert(row.key) }
        }
        return members
    }

    /// A row as a scope kind shows it, decoded.
    func shown(_ collection: CollectionName, _ id: RowID, in kind: ScopeKindName) throws -> Value? {
        guard let row = row(collection, id), let position = rules.catalogue.position(ofScope: kind) else { return nil }
        var writer = JSONWriter()
        Projection(rules).write(
            row, subject: try WorkingSet(rules, source: self).subject(of: row), in: position, to: &writer)
        return writer.count == 0 ? nil : try Value(json: writer.bytes)
    }
}

/// The people, places and things of the tests, with identities that can be told apart at a glance.
enum Who {
    static let wanda = RowID(bits: 0xAAAA)
    static let pia = RowID(bits: 0xBBBB)
    static let tom = RowID(bits: 0xCCCC)
    static let hill = RowID(bits: 0x1111)
    static let dale = RowID(bits: 0x2222)
    static let apple = RowID(bits: 0xA001)
    static let pear = RowID(bits: 0xA002)
    static let plum = RowID(bits: 0xA003)

    static let wandasLaptop = ReplicaID(0xA1)
    static let piasPhone = ReplicaID(0xB1)
    static let tomsPhone = ReplicaID(0xC1)
}

extension Mutation {
    /// A mutation as a device would make it at a moment.
    static func make(
        _ number: Int64, _ action: Action, _ collection: String, _ row: RowID, at moment: Milliseconds,
        group: Int64? = nil, base: Stamp? = nil, _ fields: KeyValuePairs<String, Value> = [:]
    ) -> Mutation {
        Mutation(
            number: number, group: group, collection: collection, row: row, action: action, time: HybridTime(moment),
            base: base, changes: fields.map { Change($0.key, $0.value) })
    }
}

extension ClubServer {
    /// A club with two orchards: Wanda the warden, Pia who picks on the hill, Tom who tends the apple tree.
    ///
    /// The apple and pear trees stand on the hill, the plum tree in the dale.
    static func founded() throws -> ClubServer {
        let server = ClubServer()
        let day = server.now + -30 * 86_400_000
        let (later, now) = (day, server.now)
        server.now = later
        var number: Int64 = 0
        func make(_ collection: String, _ row: RowID, _ fields: KeyValuePairs<String, Value>) -> Mutation {
            number += 1
            return .make(number, .create, collection, row, at: later, fields)
        }
        func grant(_ id: UInt128, _ keeper: RowID, _ role: Value, _ orchard: Value = .null) -> Mutation {
            make("role_grant", RowID(bits: id), ["keeper": .id(keeper), "role": role, "orchard": orchard])
        }
        try server.write([
            make("keeper", Who.wanda, ["name": "Wanda"]), make("keeper", Who.pia, ["name": "Pia"]),
            make("keeper", Who.tom, ["name": "Tom", "capacity": 2]),
            make("orchard", Who.hill, ["name": "Hill"]), make("orchard", Who.dale, ["name": "Dale"]),
            grant(0x61, Who.wanda, "warden"), grant(0x62, Who.pia, "picker", .id(Who.hill)),
            grant(0x63, Who.tom, "tender"),
            make("tree", Who.apple, ["name": "apple", "phone": "+8613800000001", "planted": "2001-05-06"]),
            make("tree", Who.pear, ["name": "pear"]), make("tree", Who.plum, ["name": "plum"]),
            make("planting", RowID(bits: 0x51), ["tree": .id(Who.apple), "orchard": .id(Who.hill)]),
            make("planting", RowID(bits: 0x52), ["tree": .id(Who.pear), "orchard": .id(Who.hill)]),
            make("planting", RowID(bits: 0x53), ["tree": .id(Who.plum), "orchard": .id(Who.dale)]),
            make("tending", RowID(bits: 0x71), ["tree": .id(Who.apple), "keeper": .id(Who.tom)]),
            make("harvest", RowID(bits: 0x81), ["tree": .id(Who.apple), "weight": 12]),
            make("harvest", RowID(bits: 0x82), ["tree": .id(Who.plum), "weight": 5]),
        ])
        server.now = now
        return server
    }
}
