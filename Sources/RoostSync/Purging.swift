package import RoostSchema

/// A replica's word that what left its scopes is gone from its disk.
package struct PurgeConfirmation: Hashable, Sendable {
    /// How many rows went since the last confirmation.
    package let rows: Int
    /// The ``HoldingDigest`` of what is left.
    package let digest: UInt64

    package init(rows: Int, digest: UInt64) {
        self.rows = rows
        self.digest = digest
    }
}

/// A refused edit of a row that left the replica of its author, given to the server before the replica forgets it.
package struct Surrender: Hashable, Sendable {
    /// The incarnation under which it was sent and refused.
    package let incarnation: Int64
    package let mutation: Mutation

    package init(incarnation: Int64, mutation: Mutation) {
        self.incarnation = incarnation
        self.mutation = mutation
    }

    package var name: Name { Name(incarnation: incarnation, number: mutation.number) }

    /// Which mutation it is.
    package struct Name: Hashable, Sendable {
        package let incarnation: Int64
        package let number: Int64

        package init(incarnation: Int64, number: Int64) {
            self.incarnation = incarnation
            self.number = number
        }
    }
}

/// Tells apart two replicas that do not hold the same rows in the same scopes, whatever the order they came in.
///
/// The exclusive or of the 64-bit FNV-1a hashes of `scope collection row`, in their written forms, one for each copy
/// held. It finds mistakes; it proves nothing against somebody who means to deceive.
package struct HoldingDigest: Hashable, Sendable {
    package private(set) var bits: UInt64 = 0

    package init() {}

    package mutating func add(scope: String, collection: String, row: RowID) {
        bits ^= FNV1a("\(scope) \(collection) \(row)".utf8).bits
    }
}
