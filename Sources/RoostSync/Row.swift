package import RoostSchema

/// Which row: a collection by its position in the catalogue, and an identity.
package struct RowKey: Hashable, Comparable, Sendable {
    package let collection: Int
    package let id: RowID

    package init(_ collection: Int, _ id: RowID) {
        self.collection = collection
        self.id = id
    }

    // Spelled out, because keys are looked up by the million.
    package static func == (left: Self, right: Self) -> Bool {
        left.id.bits == right.id.bits && left.collection == right.collection
    }
    package func hash(into hasher: inout Hasher) {
        hasher.combine(UInt64(truncatingIfNeeded: id.bits) ^ UInt64(truncatingIfNeeded: collection))
        hasher.combine(UInt64(truncatingIfNeeded: id.bits >> 64))
    }
    package static func < (left: Self, right: Self) -> Bool {
        left.collection == right.collection ? left.id < right.id : left.collection < right.collection
    }
}

/// A value of a field that this catalogue does not know; kept, and relayed to scopes that may see unknown fields.
package struct UnknownField: Hashable, Sendable {
    package let name: String
    package var value: Value
    package var stamp: Stamp

    package init(_ name: String, _ value: Value, _ stamp: Stamp) {
        self.name = name
        self.value = value
        self.stamp = stamp
    }

    /// About how many bytes a value may take.
    package static let maximumSize = 65_536
    /// How many unknown fields a row may have, so that no replica can fill a row for everybody.
    package static let maximumCount = 64
    /// The name of that limit in refusals.
    package static let limitName = "unknown_fields"

    /// Why a field cannot be one of a later catalogue; nil if it can.
    package static func problem(with change: Mutation.Change) -> FieldProblem? {
        // `deleted` names the deletion register in verdicts and history.
        guard FieldName(change.field).isWellFormed, change.field != "deleted" else { return .malformed }
        return change.value.roughSize > maximumSize ? .tooLong : nil
    }
}

/// A row as the server keeps it: one register per field, and one for deletion.
///
/// A field's stamp is the row's, unless `overrides` says otherwise; most rows are written whole and have none.
package struct Row: Hashable, Sendable {
    package let key: RowKey
    /// In the order of the collection's fields.
    package var values: [Value]
    package var stamp: Stamp
    /// Stamps of fields that differ from the row's, by position, in rising order of position.
    package var overrides: [Override]
    package var isDeleted: Bool
    package var deletion: Stamp
    package var unknown: [UnknownField]
    /// When the server last changed the row.
    package var sequence: ServerSequence

    package struct Override: Hashable, Sendable {
        package let position: Int
        package var stamp: Stamp

        package init(_ position: Int, _ stamp: Stamp) {
            self.position = position
            self.stamp = stamp
        }
    }

    package init(
        key: RowKey, values: [Value], stamp: Stamp, overrides: [Override] = [], isDeleted: Bool = false,
        deletion: Stamp? = nil, unknown: [UnknownField] = [], sequence: ServerSequence = .zero
    ) {
        self.key = key
        self.values = values
        self.stamp = stamp
        self.overrides = overrides
        self.isDeleted = isDeleted
        self.deletion = deletion ?? stamp
        self.unknown = unknown
        self.sequence = sequence
    }

    package func stamp(of position: Int) -> Stamp {
        overrides.first { $0.position == position }?.stamp ?? stamp
    }

    /// The greatest stamp of the row: the version that an authoritative edit must be based on.
    package var version: Stamp {
        var version = max(stamp, deletion)
        for override in overrides { version = max(version, override.stamp) }
        for field in unknown { version = max(version, field.stamp) }
        return version
    }

    package mutating func set(_ position: Int, to value: Value, at stamp: Stamp) {
        values[position] = value
        guard stamp != self.stamp else {
            overrides.removeAll { $0.position == position }
            return
        }
        if let index = overrides.firstIndex(where: { $0.position >= position }) {
            if overrides[index].position == position {
                overrides[index].stamp = stamp
            } else {
                overrides.insert(Override(position, stamp), at: index)
            }
        } else {
            overrides.append(Override(position, stamp))
        }
    }
}
