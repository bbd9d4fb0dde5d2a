package import RoostSchema
package import RoostSync
import GRDB

/// Whom a digest was for when it was frozen.
package struct AudienceRecord: Hashable, Sendable {
    package var sentence: Label
    package var students: Int
    package var frozenAt: Milliseconds
    /// By collection: students, contact groups, and the officers who answer for the students.
    package var members: [CollectionName: [RowID]]

    package init(
        sentence: Label, students: Int, frozenAt: Milliseconds, members: [CollectionName: [RowID]]
    ) {
        self.sentence = sentence
        self.students = students
        self.frozenAt = frozenAt
        self.members = members
    }
}

/// An item that a digest brings to an endpoint.
package struct ToldItem: Hashable, Sendable {
    package var endpoint: RowID
    package var collection: CollectionName
    package var item: RowID
    /// The version of its row.
    package var version: Stamp
    /// A digest of what is said of it.
    package var fingerprint: [UInt8]
    /// The part it stands in; nil where that was not kept.
    package var part: Int?

    package init(
        endpoint: RowID, collection: CollectionName, item: RowID, version: Stamp, fingerprint: [UInt8], part: Int?
    ) {
        self.endpoint = endpoint
        self.collection = collection
        self.item = item
        self.version = version
        self.fingerprint = fingerprint
        self.part = part
    }
}

/// One line of the answer to who was told what, and when.
package struct Telling: Hashable, Sendable {
    package let digest: RowID
    package let endpoint: RowID
    package let collection: CollectionName
    package let item: RowID
    package let version: Stamp
    /// When its part was sent, or the last part where its own is not known; nil while it is not, or where it is not known.
    package let sentAt: Milliseconds?
    /// That of its part, or the one furthest from arrival among the parts.
    package let state: DeliveryState
}

extension RosterReader {
    /// The audience frozen with a digest.
    package func audience(of digest: RowID) throws -> AudienceRecord? {
        let statement = try BoundStatement(
            db, "SELECT sentence_zh, sentence_en, students, frozen_ms FROM audience WHERE digest = ?")
        defer { statement.reset() }
        try statement.bind(1, digest)
        guard try statement.step() else { return nil }
        let read = try BoundStatement(db, "SELECT collection, row FROM audience_member WHERE digest = ?")
        defer { read.reset() }
        try read.bind(1, digest)
        var members: [CollectionName: [RowID]] = [:]
        while try read.step() { members[CollectionName(read.text(0)), default: []].append(read.id(1)) }
        return AudienceRecord(
            sentence: Label(statement.text(0), statement.text(1)), students: Int(statement.integer(2)),
            frozenAt: Milliseconds(statement.integer(3)), members: members)
    }

    /// The digests whose frozen audience a student, group or officer was in, the latest first.
    package func digests(for member: RowID) throws -> [RowID] {
        let statement = try BoundStatement(
            db,
            """
            SELECT DISTINCT audience.digest FROM audience_member JOIN audience USING (digest)
            WHERE audience_member.row = ? ORDER BY audience.frozen_ms DESC
            """)
        defer { statement.reset() }
        try statement.bind(1, member)
        var digests: [RowID] = []
        while try statement.step() { digests.append(statement.id(0)) }
        return digests
    }

    /// What was last said of each item to each endpoint, leaving out what did not arrive and the digest itself.
    ///
    /// What is still on its way counts as said: it will arrive, or a person decides.
    package func told(except digest: RowID) throws -> [RowID: [RowID: [UInt8]]] {
        let statement = try BoundStatement(
            db,
            """
            SELECT told.endpoint, told.item, told.fingerprint FROM told JOIN audience USING (digest)
            WHERE told.digest != ? AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.digest = told.digest
                AND delivery.endpoint = told.endpoint AND delivery.part = coalesce(told.part, delivery.part)
                AND delivery.state IN ('failed', 'expired', 'cancelled'))
            ORDER BY audience.frozen_ms
            """)
        defer { statement.reset() }
        try statement.bind(1, digest)
        var told: [RowID: [RowID: [UInt8]]] = [:]
        while try statement.step() { told[statement.id(0), default: [:]][statement.id(1)] = statement.blob(2) }
        return told
    }

    /// The items in these deliveries, in those whose part is not known all of their digest for the endpoint.
    package func items(in deliveries: [DeliveryRecord]) throws -> Set<RowID> {
        let statement = try BoundStatement(
            db, "SELECT item FROM told WHERE digest = ? AND endpoint = ? AND coalesce(part, ?3) = ?3")
        var items: Set<RowID> = []
        for delivery in deliveries {
            try statement.bind(1, delivery.digest)
            try statement.bind(2, delivery.endpoint)
            try statement.bind(3, Int64(delivery.part))
            while try statement.step() { items.insert(statement.id(0)) }
            statement.reset()
        }
        return items
    }

    /// Who was told of an item, or what an endpoint was told, by the time of freezing.
    package func tellings(of item: RowID? = nil, to endpoint: RowID? = nil) throws -> [Telling] {
        let statement = try BoundStatement(
            db,
            """
            SELECT told.digest, told.endpoint, told.collection, told.item, told.version,
                (SELECT max(sent_ms) FROM delivery WHERE delivery.digest = told.digest
                    AND delivery.endpoint = told.endpoint AND delivery.part = coalesce(told.part, delivery.part)),
                (SELECT state FROM delivery WHERE delivery.digest = told.digest AND delivery.endpoint = told.endpoint
                    AND delivery.part = coalesce(told.part, delivery.part)
                    ORDER BY state IN ('sent', 'manual_done'), part LIMIT 1)
            FROM told JOIN audience USING (digest)
            WHERE told.item = coalesce(?1, told.item) AND told.endpoint = coalesce(?2, told.endpoint)
            ORDER BY audience.frozen_ms, told.item
            """)
        defer { statement.reset() }
        if let item { try statement.bind(1, item) } else { try statement.bindNull(1) }
        if let endpoint { try statement.bind(2, endpoint) } else { try statement.bindNull(2) }
        var tellings: [Telling] = []
        while try statement.step() {
            tellings.append(
                Telling(
                    digest: statement.id(0), endpoint: statement.id(1),
                    collection: CollectionName(statement.text(2)), item: statement.id(3), version: statement.stamp(4),
                    sentAt: statement.isNull(5) ? nil : Milliseconds(statement.integer(5)),
                    state: DeliveryState(rawValue: statement.text(6)) ?? .cancelled))
        }
        return tellings
    }

    /// The first few of these rows that are present in one of the scopes.
    package func first(
        _ limit: Int, of rows: [RowID], in collection: CollectionName, heldBy scopes: [Scope]
    ) throws -> [RowID] {
        guard let position = catalogue.position(of: collection) else { return [] }
        let statement = try BoundStatement(
            db,
            """
            SELECT 1 FROM member JOIN scope ON scope.id = member.scope
            WHERE scope.name = ? AND member.collection = ? AND member.row = ? AND member.present = 1
            """)
        var found: [RowID] = []
        for row in rows where found.count < limit {
            for scope in scopes {
                try statement.bind(1, scope.description)
                try statement.bind(2, store.numbers[position])
                try statement.bind(3, row)
                let isThere = try statement.step()
                statement.reset()
                guard isThere else { continue }
                found.append(row)
                break
            }
        }
        return found
    }
}

extension ServerStore {
    func keep(_ audience: AudienceRecord, of digest: RowID, _ db: Database) throws {
        let statement = try BoundStatement(
            db,
            "INSERT INTO audience (digest, sentence_zh, sentence_en, students, frozen_ms) VALUES (?, ?, ?, ?, ?)")
        try statement.bind(1, digest)
        try statement.bind(2, audience.sentence.zh)
        try statement.bind(3, audience.sentence.en)
        try statement.bind(4, Int64(audience.students))
        try statement.bind(5, audience.frozenAt.value)
        try statement.run()
        let insert = try BoundStatement(
            db, "INSERT OR IGNORE INTO audience_member (digest, collection, row) VALUES (?, ?, ?)")
        for (collection, rows) in audience.members {
            for row in rows {
                try insert.bind(1, digest)
                try insert.bind(2, collection.text)
                try insert.bind(3, row)
                try insert.run()
            }
        }
    }

    func keep(_ told: [ToldItem], of digest: RowID, _ db: Database) throws {
        let statement = try BoundStatement(
            db,
            """
            INSERT INTO told (digest, endpoint, item, collection, version, fingerprint, part)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO NOTHING
            """)
        for item in told {
            try statement.bind(1, digest)
            try statement.bind(2, item.endpoint)
            try statement.bind(3, item.item)
            try statement.bind(4, item.collection.text)
            try statement.bind(5, item.version)
            try statement.bind(6, item.fingerprint)
            try statement.bind(7, optional: item.part.map(Int64.init))
            try statement.run()
        }
    }
}
