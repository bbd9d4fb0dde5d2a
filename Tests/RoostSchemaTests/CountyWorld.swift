import RoostDemo
import RoostModel
import RoostSchema
import RoostSync

/// The demo county as the engine keeps it, in memory: for facts of the matrix that only the engine can show.
final class CountyWorld: RowSource {
    static let today = PartialDate.daysSinceEpoch(year: 2026, month: 11, day: 21)
    static let now = Milliseconds(Int64(today) * 86_400_000 + 6 * 3_600_000)

    let rules = Rules(Catalogue.programme.withConflicts(about: Programme.subject))
    private static let demo = DemoCounty(seed: 2026, today: today)
    let county = CountyWorld.demo
    private var state = State()

    private struct State: Sendable {
        var refusals: [Verdict] = []
        var stored: [RowKey: Row] = [:]
        var referring: [[Int]: [RowID: [RowKey]]] = [:]
        var members: [ScopeKey: Set<RowKey>] = [:]
        var grants: [RowID: [Grant]] = [:]
        var sequence = ServerSequence.zero
        var issued: [ReplicaID: HybridTime] = [:]
        var number: Int64 = 0
    }

    /// Loading takes seconds, so every world begins as a copy of the first.
    private static let loaded = Result { try CountyWorld(loading: ()).state }

    init() throws { state = try Self.loaded.get() }

    /// Loads the county as the server does on its first start.
    private init(loading: Void) throws {
        let loader = Principal(officer: RowID(bits: 0), grants: [], isTrusted: true)
        var rest = county.rows[...]
        while !rest.isEmpty {
            let verdicts = try decide(
                rest.prefix(1000).map { mutation(.create, $0.collection, $0.id, $0.values) }, as: loader)
            state.refusals += verdicts.filter { $0.outcome != .applied }
            rest = rest.dropFirst(1000)
        }
    }

    var refusals: [Verdict] { state.refusals }

    func mutation(
        _ action: Mutation.Action, _ collection: CollectionName, _ row: RowID, _ values: [FieldName: Value] = [:],
        group: Int64? = nil
    ) -> Mutation {
        state.number += 1
        let base =
            action == .create ? nil : rules.catalogue.position(of: collection).flatMap { state.stored[RowKey($0, row)] }
        return Mutation(
            number: state.number, group: group, collection: collection.text, row: row, action: action,
            time: HybridTime(Self.now), base: base?.version, changes: values.map { .init($0.key.text, $0.value) })
    }

    func decide(_ mutations: [Mutation], as principal: Principal) throws -> [Verdict] {
        let replica = ReplicaID(UInt64(truncatingIfNeeded: principal.officer.bits))
        let decider = Decider(
            rules: rules, principal: principal, replica: replica, now: Self.now,
            correction: ClockCorrection(now: Self.now, device: Self.now, mark: nil))
        let plan = try decider.decide(mutations, in: WorkingSet(rules, source: self), after: state.sequence)
        state.sequence = plan.lastSequence
        state.issued[replica] = plan.lastEffective
        for (row, isNew) in zip(plan.rows, plan.isNew) {
            state.stored[row.key] = row
            guard isNew else { continue }
            for position in rules.indexed[row.key.collection] {
                guard let target = row.values[position].id else { continue }
                state.referring[[row.key.collection, position], default: [:]][target, default: []].append(row.key)
            }
        }
        for change in plan.memberships {
            if change.isMember {
                state.members[change.scope, default: []].insert(change.row)
            } else {
                state.members[change.scope]?.remove(change.row)
            }
        }
        for change in plan.authority where change.begins {
            guard case .grant(let officer, let role, let target) = change.kind else { continue }
            state.grants[officer, default: []].append(
                Grant(role: RoleName(role), target: target, from: Milliseconds(0), until: nil))
        }
        return plan.verdicts
    }

    func rows(_ keys: [RowKey]) throws -> [Row] { keys.compactMap { state.stored[$0] } }

    func rows(of collection: Int, referring position: Int, to targets: [RowID]) throws -> [Row] {
        targets.flatMap { state.referring[[collection, position]]?[$0] ?? [] }.compactMap { state.stored[$0] }
    }

    func erased(_ keys: [RowKey]) throws -> Set<RowKey> { [] }
    func refusedCreations(_ keys: [RowKey], by replica: ReplicaID) throws -> Set<RowKey> { [] }
    func officers(of replicas: Set<ReplicaID>) throws -> [ReplicaID: RowID] { [:] }
    func tenures(of subjects: [RowID]) throws -> [LinkTenure] { [] }
    func admissions(of row: RowKey) throws -> [AdmissionChange] { [] }
    func lastEffective(of replica: ReplicaID) throws -> HybridTime? { state.issued[replica] }

    // What tests ask.

    func principal(_ role: RoleName) -> Principal? {
        county.enrolments.first { $0.role == role }.map {
            Principal(officer: $0.officer, grants: state.grants[$0.officer] ?? [])
        }
    }

    func live(_ collection: CollectionName) -> [Row] {
        guard let position = rules.catalogue.position(of: collection) else { return [] }
        return state.stored.values.filter { $0.key.collection == position && !$0.isDeleted }.sorted { $0.key < $1.key }
    }

    /// The live rows of a collection in a scope.
    func live(_ collection: CollectionName, in kind: ScopeKindName, _ key: RowID? = nil) -> [Row] {
        guard let scope = rules.key(of: Scope(kind, key)), let position = rules.catalogue.position(of: collection)
        else { return [] }
        return (state.members[scope] ?? []).filter { $0.collection == position }.sorted().compactMap {
            state.stored[$0]
        }
        .filter { !$0.isDeleted }
    }

    func value(_ field: FieldName, of row: Row) -> Value {
        let collection = rules.catalogue.collections[row.key.collection]
        return collection.position(of: field).map { row.values[$0] } ?? .null
    }

    func row(_ collection: CollectionName, _ id: RowID) -> Row? {
        rules.catalogue.position(of: collection).flatMap { state.stored[RowKey($0, id)] }
    }
}
