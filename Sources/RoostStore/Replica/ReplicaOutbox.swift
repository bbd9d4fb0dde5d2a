package import RoostSchema
package import RoostSync
import GRDB

/// What the world outside tells a replica when a person edits; injected, so that tests decide time and chance.
package struct DeviceMoment: Hashable, Sendable {
    package let now: Milliseconds
    package let mark: Mutation.Mark?

    package init(now: Milliseconds, mark: Mutation.Mark?) {
        self.now = now
        self.mark = mark
    }
}

/// One edit a person made, before it has a number and a stamp.
package struct Edit: Hashable, Sendable {
    package let collection: CollectionName
    package let row: RowID
    package let action: Mutation.Action
    package let changes: [Mutation.Change]
    /// Replaces the base the replica would give: for taking a value back over one seen elsewhere.
    package let base: Stamp?

    package init(
        _ collection: CollectionName, _ row: RowID, _ action: Mutation.Action, _ changes: [Mutation.Change] = [],
        base: Stamp? = nil
    ) {
        self.collection = collection
        self.row = row
        self.action = action
        self.changes = changes
        self.base = base
    }
}

/// Why no changeset can be made, or an edit not be queued.
package enum OutboxError: Error, Hashable, Sendable {
    /// A group is larger than the server takes in one changeset.
    case groupTooLarge(mutations: Int)
}

/// What one request may carry.
package struct ChangesetLimits: Hashable, Sendable {
    package let mutations: Int
    package let bytes: Int

    package init(mutations: Int, bytes: Int) {
        self.mutations = mutations
        self.bytes = bytes
    }
}

extension Replica {
    /// Queues edits for the next exchange and shows them at once, in one transaction.
    ///
    /// Grouped edits apply together or not at all; `batch` names the offline import they belong to. Answers with the
    /// numbers given.
    /// - Throws: ``OutboxError`` for a group that the server would not take, as far as it last told its limits: nothing behind
    ///   it would ever be sent.
    @discardableResult
    package func queue(
        _ edits: [Edit], grouped: Bool, at moment: DeviceMoment, batch: String? = nil
    ) throws -> [Int64] {
        try writing { db in try self.queue(edits, grouped: grouped, at: moment, batch: batch, db) }
    }

    @discardableResult
    func queue(
        _ edits: [Edit], grouped: Bool, at moment: DeviceMoment, batch: String? = nil, _ db: Database
    ) throws -> [Int64] {
        let materialiser = try Materialiser(self, db)
        var number = try self.number(.nextNumber, db)
        var clock = HybridClock(last: HybridTime(bits: UInt64(bitPattern: try self.number(.clock, db))))
        var group: Int64?
        if grouped, edits.count > 1 {
            let next = try self.number(.nextGroup, db)
            group = next
            try setFact(.nextGroup, "\(next + 1)", db)
        }
        var numbers: [Int64] = []
        var bytes = 0
        for edit in edits {
            let position = try self.position(of: edit)
            let key = RowKey(position, edit.row)
            let server = try materialiser.state(of: key).server
            let fields = edit.changes.compactMap { rules.catalogue.collections[position].position(of: $0.field) }
            let overlay = Overlay(rules: rules, key: key)
            let base = overlay.base(of: edit.action, fields, over: server)
            let mutation = Mutation(
                number: number, group: group, collection: edit.collection.text, row: edit.row, action: edit.action,
                time: clock.tick(now: moment.now), mark: moment.mark, base: [edit.base, base].compactMap(\.self).max(),
                seen: overlay.seen(edit.action, over: server), changes: edit.changes)
            try insert(mutation, madeAt: moment.now, batch: batch, db)
            bytes += mutation.json.count + 1
            numbers.append(number)
            number += 1
            try materialiser.materialise(key)
        }
        // An eighth is for what else a request holds.
        if group != nil, let limits = try knownLimits(db),
            numbers.count > limits.mutations || bytes > limits.bytes - limits.bytes / 8
        {
            throw OutboxError.groupTooLarge(mutations: numbers.count)
        }
        try noteClocks(at: moment, db)
        try setFact(.nextNumber, "\(number)", db)
        try setFact(.clock, "\(Int64(bitPattern: clock.last.bits))", db)
        return numbers
    }

    /// What one request may carry, as the server last told; nil before it did.
    private func knownLimits(_ db: Database) throws -> ChangesetLimits? {
        let parts = try fact(.limits, db)?.split(separator: " ").compactMap { Int($0) }
        return parts.flatMap { $0.count == 2 ? ChangesetLimits(mutations: $0[0], bytes: $0[1]) : nil }
    }

    private func note(_ limits: ChangesetLimits, _ db: Database) throws {
        guard try knownLimits(db) != limits else { return }
        try setFact(.limits, "\(limits.mutations) \(limits.bytes)", db)
    }

    /// Where an edit belongs; what this catalogue does not declare cannot be meant by anybody who sits here.
    private func position(of edit: Edit) throws -> Int {
        guard let position = rules.catalogue.position(of: edit.collection) else {
            throw ReplicaError.undeclared(edit.collection.text)
        }
        for change in edit.changes where rules.catalogue.collections[position].position(of: change.field) == nil {
            throw ReplicaError.undeclared("\(edit.collection.text).\(change.field)")
        }
        return position
    }

    func insert(_ mutation: Mutation, madeAt: Milliseconds, batch: String?, _ db: Database) throws {
        let statement = try BoundStatement(
            db,
            """
            INSERT INTO outbox (number, group_number, collection, row, made_at_ms, body, batch)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """)
        try statement.bind(1, mutation.number)
        if let group = mutation.group { try statement.bind(2, group) } else { try statement.bindNull(2) }
        try statement.bind(3, mutation.collection)
        try statement.bind(4, mutation.row)
        try statement.bind(5, madeAt.value)
        try statement.bind(6, mutation.json)
        if let batch { try statement.bind(7, batch) } else { try statement.bindNull(7) }
        try statement.run()
    }

    /// The next request: as many pending mutations as fit, oldest first and no group split, and the scopes held.
    ///
    /// No more than `portion` is sent at once, where one is given; but the first group goes whole as long as the server takes it.
    ///
    /// A purge whose files are not clean yet is made good first, unless more pages are on their way: `isAmongPages`. The
    /// clocks are read only then: the server compares the reading with its own clock as the request arrives.
    /// - Throws: ``OutboxError`` if not even the oldest group fits, unless nothing is to be sent: `isHeldBack`.
    package func nextRequest(
        limits: ChangesetLimits, portion: ChangesetLimits? = nil, at reading: @autoclosure () -> DeviceMoment,
        isAmongPages: Bool = false, isHeldBack: Bool = false
    ) throws -> ExchangeRequest {
        if !isAmongPages { try scrubIfOwed() }
        return try writing { db in
            // Whoever else writes has been waited for.
            let moment = reading()
            var request = ExchangeRequest(
                catalogue: self.rules.catalogue.version,
                replica: try self.fact(.replica, db).flatMap { ReplicaID($0) } ?? ReplicaID(0),
                incarnation: try self.number(.incarnation, db), epoch: try self.fact(.epoch, db), now: moment.now,
                mark: moment.mark)
            request.run = try self.fact(.serverRun, db).flatMap { ServerRun($0) }
            request.answered = try self.lastAnswered(db)
            request.unrecovered = try self.number(.unrecovered, db)
            let held = try BoundStatement(db, "SELECT scope, epoch, cursor FROM held ORDER BY scope")
            while try held.step() {
                guard let scope = Scope(held.text(0)) else { continue }
                request.scopes.append(
                    ScopeCursor(scope: scope, epoch: held.integer(1), cursor: ServerSequence(held.integer(2))))
            }
            held.reset()
            if try self.fact(.filesHoldPurged, db) == nil { request.purged = try self.confirmation(db) }
            request.owed = try request.purged == nil && self.fact(.purgedRows, db) != nil
            var size = request.json.count + 32
            let portion = portion ?? limits
            try self.note(limits, db)
            let (changeset, bytes) =
                isHeldBack ? ([], 0) : try self.changeset(portion, upTo: limits, beside: size, db)
            if let boots = try self.placedBoots(of: changeset, at: moment, db) {
                request.boots = boots
                request.mutations = changeset
                size += bytes
            }
            // In the room that is left: what waits goes first, and both count against the same limit.
            request.surrendered = try self.surrenders(
                within: ChangesetLimits(
                    mutations: portion.mutations - request.mutations.count, bytes: portion.bytes - size),
                atLeastOne: request.mutations.isEmpty, db)
            if let boot = moment.mark?.boot { try self.forgetBoots(but: boot, db) }
            if let last = request.mutations.last?.number {
                let mark = try BoundStatement(db, "UPDATE outbox SET sent = 1 WHERE sent = 0 AND number <= ?")
                try mark.bind(1, last)
                try mark.run()
            }
            return request
        }
    }

    /// The mutations to send beside so many bytes, and their own size.
    private func changeset(
        _ portion: ChangesetLimits, upTo limits: ChangesetLimits, beside: Int, _ db: Database
    ) throws -> (changeset: [Mutation], bytes: Int) {
        var changeset: [Mutation] = []
        var size = beside
        // Where the last whole group ends, and the size up to there.
        var group: [Mutation] = []
        var groupSize = 0
        var groupNumber: Int64?
        func fits() -> Bool {
            let room = changeset.isEmpty ? limits : portion
            return changeset.count + group.count <= room.mutations && size + groupSize <= room.bytes
        }
        let statement = try BoundStatement(
            db, "SELECT group_number, body FROM outbox WHERE answered = 0 ORDER BY number LIMIT ?")
        defer { statement.reset() }
        // One more than fits, so that a group that goes on past the limit is seen to.
        try statement.bind(1, Int64(limits.mutations) + 1)
        while try statement.step() {
            let number = statement.isNull(0) ? nil : statement.integer(0)
            let body = statement.blob(1)
            guard let mutation = try? Mutation(stored: body) else {
                throw ReplicaError.damaged("a pending edit cannot be read")
            }
            if !group.isEmpty, number == nil || number != groupNumber {
                guard fits() else { break }
                changeset += group
                size += groupSize
                (group, groupSize) = ([], 0)
            }
            group.append(mutation)
            groupSize += body.count + 1
            groupNumber = number
        }
        if fits() {
            changeset += group
            size += groupSize
        }
        guard changeset.isEmpty, !group.isEmpty else { return (changeset, size - beside) }
        throw OutboxError.groupTooLarge(mutations: group.count)
    }
}
