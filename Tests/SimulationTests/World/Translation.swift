import RoostSchema
import RoostSync

// From the product's words into the model's.

extension Plain {
    init(_ value: Value) {
        switch value {
        case .null: self = .nothing
        case .boolean(let flag): self = .flag(flag)
        case .integer(let number): self = .number(number)
        case .text(let text): self = .text(text)
        case .id(let id): self = .text(id.description)
        case .list(let list): self = .list(list.map { Plain($0) })
        case .real(let real): self = .text("\(real)")
        case .object(let members): self = .list(members.map { .list([.text($0.name), Plain($0.value)]) })
        }
    }
}

extension Dated {
    init(_ stamp: Stamp) { self.init(time: stamp.time.bits, by: stamp.replica.bits) }
}

extension PlainEdit.Mark {
    init(_ mark: Mutation.Mark) { self.init(monotonic: mark.monotonic, boot: mark.boot) }
}

extension PlainVerdict {
    init(_ verdict: Verdict) {
        self.init(
            number: verdict.number, outcome: verdict.outcome.rawValue, stamp: verdict.stamp.map { Dated($0) },
            lost: Set(verdict.lost), code: verdict.refusal?.rawValue, isDeleted: verdict.deleted)
    }
}

extension PlainPush {
    /// A request as the server reads it at a moment; `place` names its rows.
    init(_ request: ExchangeRequest, at now: Int64, place: (String, RowID) -> Place) {
        func plain(_ mutation: Mutation, _ incarnation: Int64) -> PlainEdit {
            let aside = Quarantine.id(of: mutation.number, incarnation: incarnation, by: request.replica)
            return PlainEdit(
                number: mutation.number, group: mutation.group, place: place(mutation.collection, mutation.row),
                action: PlainEdit.Action(rawValue: mutation.action.rawValue) ?? .edit, time: mutation.time.bits,
                mark: mutation.mark.map { PlainEdit.Mark($0) }, base: mutation.base.map { Dated($0) },
                seen: mutation.seen.map { Dated($0) },
                changes: mutation.changes.map { ($0.field, Plain($0.value)) }, asideID: aside.description)
        }
        self.init(
            replica: request.replica.bits, incarnation: request.incarnation, now: now, deviceNow: request.now.value,
            mark: request.mark.map { PlainEdit.Mark($0) }, boots: request.boots.mapValues(\.value),
            edits: request.mutations.map { plain($0, request.incarnation) },
            surrendered: request.surrendered.map { ($0.incarnation, plain($0.mutation, $0.incarnation)) })
    }
}

extension ReferenceModel {
    /// The identity the server gives a note of parallel edits.
    static func parallelID(of row: String, _ earlier: Dated, _ later: Dated) -> String {
        func stamp(_ dated: Dated) -> Stamp { Stamp(HybridTime(bits: dated.time), ReplicaID(dated.by)) }
        return RowID(row).map { ParallelEdit.id(of: $0, stamp(earlier), stamp(later)).description } ?? row
    }
}
