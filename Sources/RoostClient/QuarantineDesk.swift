package import RoostSchema
import RoostStore
package import RoostSync

/// An edit set aside, for a person to decide about.
package struct QuarantineCase: Hashable, Sendable {
    package enum State: String, Hashable, Sendable {
        case pending, declined, accepted
    }

    package let id: RowID
    package let collection: CollectionName
    package let row: RowID
    package let action: Mutation.Action
    /// With row identities told apart from text.
    package let changes: [Mutation.Change]
    package let author: RowID?
    package let device: String?
    package let madeAt: Milliseconds
    package let reason: String
    package let state: State
    /// The same for edits that are decided together.
    package let unit: String
    package let place: Int64
    /// Whether this person's decision waits for its verdict.
    package let isPending: Bool
    /// Whether some values are withheld because the device was out of contact for too long.
    package let isLocked: Bool
}

extension Desk {
    /// The edits set aside that this device may see, oldest first; those that wait for a decision unless asked for all.
    package func quarantine(all: Bool = false) throws -> [QuarantineCase] {
        let condition: Condition = all ? .always : .field("state", is: "pending")
        return try replica.rows(of: Quarantine.collection, where: condition).compactMap(quarantineCase)
            .sorted { ($0.madeAt, $0.place) < ($1.madeAt, $1.place) }
    }

    /// The edit set aside that an id, or the beginning of one, names.
    package func quarantined(named text: String) throws -> QuarantineCase {
        let found = try quarantine(all: true).filter { $0.id.description.hasPrefix(text.lowercased()) }
        guard let only = found.first, found.count == 1, !text.isEmpty else { throw ClientError.noSuchEntry(text) }
        return only
    }

    /// The edits that were made as one with this one, itself included, in the order they were made.
    package func unit(of entry: QuarantineCase) throws -> [QuarantineCase] {
        try quarantine(all: true).filter { $0.unit == entry.unit }.sorted { $0.place < $1.place }
    }

    private func quarantineCase(_ shown: ShownRow) -> QuarantineCase? {
        typealias Position = Quarantine.Position
        let values = shown.row.values
        guard let name = values[Position.collection].text, let collection = catalogue[CollectionName(name)],
            let row = values[Position.row].text.flatMap({ RowID($0) }),
            let action = values[Position.action].text.flatMap({ Mutation.Action(rawValue: $0) }),
            let state = values[Position.state].text.flatMap({ QuarantineCase.State(rawValue: $0) }),
            case .object(let members) = values[Position.values]
        else { return nil }
        return QuarantineCase(
            id: shown.row.key.id, collection: collection.name, row: row, action: action,
            changes: members.map { member in
                let kind = collection[FieldName(member.name)]?.kind
                return Mutation.Change(member.name, kind?.adopted(member.value) ?? member.value)
            }, author: values[Position.author].text.flatMap { RowID($0) }, device: values[Position.device].text,
            madeAt: Milliseconds(values[Position.madeAt].integer ?? 0), reason: values[Position.reason].text ?? "",
            state: state, unit: values[Position.unit].text ?? "", place: values[Position.place].integer ?? 0,
            isPending: shown.isPending, isLocked: !shown.locked.isEmpty)
    }

    /// Makes the edit one's own and closes the case, with all that was made as one with it, as one group.
    ///
    /// What was typed then replaces what the row holds now, as this person sees it. A row that went meanwhile is brought
    /// back first.
    package func accept(_ entry: QuarantineCase) throws {
        try settle(entry, as: .accepted) { member in
            if member.isLocked { try requireLease() }
            var edits: [Edit] = []
            if member.action == .edit, try replica.row(member.collection, member.row)?.row.isDeleted ?? false {
                edits.append(Edit(member.collection, member.row, .restore))
            }
            edits.append(Edit(member.collection, member.row, member.action, member.changes))
            return edits
        }
    }

    /// Leaves things as they are and closes the case, with all that was made as one with it.
    package func decline(_ entry: QuarantineCase) throws { try settle(entry, as: .declined) { _ in [] } }

    private func settle(
        _ entry: QuarantineCase, as state: QuarantineCase.State, _ edits: (QuarantineCase) throws -> [Edit]
    ) throws {
        let open = try unit(of: entry).filter { $0.state == .pending }
        guard !open.isEmpty else { throw ClientError.nothingToChange }
        let all =
            try open.flatMap(edits)
            + open.map { Edit(Quarantine.collection, $0.id, .edit, [Mutation.Change("state", .text(state.rawValue))]) }
        try replica.queue(all, grouped: true, at: environment.moment)
    }
}
