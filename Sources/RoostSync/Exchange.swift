package import RoostSchema

/// The version of the wire format this code speaks.
package let protocolVersion: Int64 = 1

/// What a replica has of one scope.
package struct ScopeCursor: Hashable, Sendable {
    package let scope: Scope
    /// Changes when the scope must be read from the beginning.
    package let epoch: Int64
    /// The last sequence of this scope's feed that the replica has applied; 0 for nothing.
    package let cursor: ServerSequence

    package init(scope: Scope, epoch: Int64, cursor: ServerSequence) {
        self.scope = scope
        self.epoch = epoch
        self.cursor = cursor
    }
}

/// The body of `POST /v1/sync`.
package struct ExchangeRequest: Hashable, Sendable {
    /// The version of the catalogue the replica was built with.
    package var catalogue: Int
    package var replica: ReplicaID
    package var incarnation: Int64
    /// The server's epoch as the replica last saw it; nil at first contact.
    package var epoch: String?
    /// The server's latest run as the replica knows it; nil if it knows none.
    package var run: ServerRun?
    /// The device's wall clock as the request was written.
    package var now: Milliseconds
    package var mark: Mutation.Mark?
    /// Of earlier boots named in marks of the mutations: what the server's clock said when their steady clocks read 0.
    package var boots: [String: Milliseconds] = [:]
    package var mutations: [Mutation]
    package var scopes: [ScopeCursor]
    /// Refused edits of rows that are no longer here, for others to decide about.
    package var surrendered: [Surrender] = []
    /// Says that what the last answers took away is gone.
    package var purged: PurgeConfirmation?
    /// Says that something was taken away that is not yet gone, so that ``purged`` has to wait.
    package var owed = false
    /// How many bytes of rows the replica wants in one answer; the server may send fewer.
    package var pageBytes: Int?
    /// The greatest number of this incarnation whose verdict the replica has; nil if it does not say.
    package var answered: Int64?
    /// Acknowledged mutations that a server which lost them cannot be given again: they left the device, or are too old.
    package var unrecovered: Int64 = 0
    /// Whether the replica takes a large scope that is new to it as a ``SnapshotOffer``.
    package var snapshots = false

    /// What every request says; the rest is set where there is anything to say.
    package init(
        catalogue: Int, replica: ReplicaID, incarnation: Int64, epoch: String?, now: Milliseconds,
        mark: Mutation.Mark? = nil, mutations: [Mutation] = [], scopes: [ScopeCursor] = []
    ) {
        self.catalogue = catalogue
        self.replica = replica
        self.incarnation = incarnation
        self.epoch = epoch
        self.now = now
        self.mark = mark
        self.mutations = mutations
        self.scopes = scopes
    }
}

/// A row as a scope shows it.
package struct WireRow: Hashable, Sendable {
    package var collection: String
    package var row: RowID
    package var sequence: ServerSequence
    package var stamp: Stamp
    /// Fields with a value; what is not named is cleared or not shown.
    package var fields: [Mutation.Change]
    /// Stamps of shown fields that differ from the row's.
    package var stamps: [String: Stamp]
    /// Fields shown through their mask.
    package var masked: [String]
    /// The stamp of the deletion, if the row is deleted; it then shows no fields.
    package var deleted: Stamp?
    /// The base for an edit of an authoritative row, where it is greater than every stamp shown.
    package var version: Stamp?

    package init(
        collection: String, row: RowID, sequence: ServerSequence, stamp: Stamp, fields: [Mutation.Change],
        stamps: [String: Stamp] = [:], masked: [String] = [], deleted: Stamp? = nil, version: Stamp? = nil
    ) {
        self.collection = collection
        self.row = row
        self.sequence = sequence
        self.stamp = stamp
        self.fields = fields
        self.stamps = stamps
        self.masked = masked
        self.deleted = deleted
        self.version = version
    }
}

/// A page of one scope's feed.
package struct ScopePage: Hashable, Sendable {
    package struct Departure: Hashable, Sendable {
        package let collection: String
        package let row: RowID

        package init(collection: String, row: RowID) {
            self.collection = collection
            self.row = row
        }
    }

    package var scope: Scope
    package var epoch: Int64
    package var cursor: ServerSequence
    /// Whether the feed goes on after this page.
    package var more: Bool
    package var rows: [WireRow]
    /// Rows that are no longer in the scope.
    package var left: [Departure]
    /// Whether the replica was away for longer than departures are kept, so that it begins anew.
    package var mustResnapshot: Bool
    /// To be fetched in place of pages; the page then has no rows, and a cursor of 0.
    package var snapshot: SnapshotOffer?
    /// Milliseconds after which to ask again for a snapshot that is being made; the page is then as with one.
    package var wait: Int64?

    package init(
        scope: Scope, epoch: Int64, cursor: ServerSequence, more: Bool, rows: [WireRow], left: [Departure],
        mustResnapshot: Bool = false, snapshot: SnapshotOffer? = nil, wait: Int64? = nil
    ) {
        self.scope = scope
        self.epoch = epoch
        self.cursor = cursor
        self.more = more
        self.rows = rows
        self.left = left
        self.mustResnapshot = mustResnapshot
        self.snapshot = snapshot
        self.wait = wait
    }
}

/// How far a server knows the mutations of one replica.
package struct KnownProgress: Hashable, Comparable, Sendable {
    package let incarnation: Int64
    /// The number of the last mutation decided in it; 0 for none.
    package let number: Int64

    package init(incarnation: Int64, number: Int64) {
        self.incarnation = incarnation
        self.number = number
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.incarnation, left.number) < (right.incarnation, right.number)
    }
}

/// The answer to `POST /v1/sync`.
package struct ExchangeAnswer: Hashable, Sendable {
    /// The server's clock when it answered.
    package var now: Milliseconds
    package var epoch: String
    /// The run that answered; nil of servers that do not count theirs.
    package var run: ServerRun?
    /// Device clock minus server clock in milliseconds as the server judged it; 0 within the tolerance.
    package var offset: Int64
    /// The number the server expects the replica's next mutation to have.
    package var expected: Int64
    package var verdicts: [Verdict]
    /// Scopes that the replica named and may no longer hold: everything only they brought must go.
    package var lost: [Scope]
    /// Scopes in which something changed since the replica's cursor, and those newly gained.
    package var scopes: [ScopePage]
    /// Whether the request's ``ExchangeRequest/purged`` was noted.
    package var purged = false
    /// Whether the server waits for ``ExchangeRequest/purged``: an answer, maybe one that never arrived, took something away.
    package var owed = false
    /// Those of the request's ``ExchangeRequest/surrendered`` that are safe on the server.
    package var surrendered: [Surrender.Name] = []
    /// What the server has of this replica, if the request was written under another epoch.
    package var known: KnownProgress?
    /// Whether the server has decided other mutations under the replica's numbers: two copies of one database are in use.
    package var copied: Bool

    package init(
        now: Milliseconds, epoch: String, offset: Int64, expected: Int64, verdicts: [Verdict] = [], lost: [Scope] = [],
        scopes: [ScopePage] = [], known: KnownProgress? = nil, copied: Bool = false
    ) {
        self.now = now
        self.epoch = epoch
        self.offset = offset
        self.expected = expected
        self.verdicts = verdicts
        self.lost = lost
        self.scopes = scopes
        self.known = known
        self.copied = copied
    }
}
