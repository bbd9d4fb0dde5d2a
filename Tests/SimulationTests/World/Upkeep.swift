import Foundation
import GRDB
import RoostAPI
import RoostClient
import RoostSchema
import RoostStore
import RoostSync
import Zlib

/// What the server does beside answering: files for those who begin, and taking away what is old.
extension World {
    /// Three weeks and a half, with a collection after each eight days.
    func tidy() async throws {
        let days: Int64 = 86_400_000
        let retention = Retention(tombstoneDays: 12, historyDays: 20, verdictDays: 12)
        for _ in 0..<3 {
            clock.advance(8 * days)
            let report = try await store.collect(retention)
            if report.departures > 0 { note("departures collected") }
            if report.rows > 0 { note("rows collected") }
            if report.history > 0 { note("history collected") }
            if report.verdicts > 0 { note("verdicts collected") }
            if report.notes > 0 { try await forgetNotes() }
        }
        historyHorizon = max(historyHorizon, clock.now - 20 * days)
        let queue = try DatabaseQueue(path: serverDirectory + "/" + ServerStore.fileName)
        let collected = try await queue.read { db in
            try GRDB.Row.fetchAll(
                db,
                sql: """
                    SELECT collection.name AS kind, lower(substr(hex(row), 1, 8) || '-' || substr(hex(row), 9, 4) || '-'
                        || substr(hex(row), 13, 4) || '-' || substr(hex(row), 17, 4) || '-' || substr(hex(row), 21)) AS id
                    FROM collected JOIN collection ON collection.id = collected.collection
                    """
            ).map { ($0["kind"] as String, RowID($0["id"] as String)) }
        }
        try queue.close()
        for (kind, row) in collected {
            guard let row else { return fail(.collection, "an identity cannot be read") }
            model.collect(place(kind, row)) { fail(.collection, "\($0) was taken away and is not deleted") }
        }
    }

    /// Takes over from the server which settled notes it deleted, as these are its own writes; none that waits for a person.
    private func forgetNotes() async throws {
        for kind in ["parallel_edit", "conflict", "quarantine"] {
            let deleted = try await read(serverFile) { db in
                try GRDB.Row.fetchAll(db, sql: "SELECT id, deletion FROM \"\(kind)\" WHERE deleted = 1").map { row in
                    (Self.identity(row["id"]), Self.dated(row["deletion"] as Data))
                }
            }
            for (id, stamp) in deleted {
                let place = conflicts[id] ?? Place(kind: kind, id: id)
                guard let row = model.rows[place], !row.isDeleted else { continue }
                if kind == "quarantine", row.value("state") == .text("pending") {
                    fail(.collection, "\(place) waits for a person and was deleted")
                }
                model.serverWrote(place, .delete, [:], stamp, at: clock.now)
                note("\(kind) forgotten")
            }
        }
    }

    /// Gives a piece of a snapshot to whoever may have it, and holds the whole against the model.
    func snapshot(
        _ id: String, from position: Int, count: Int, for index: Int
    ) async throws(ClientError) -> [UInt8] {
        let officer = devices[index].seat.officer
        if luck?.chance(3) ?? false {
            note("snapshot interrupted")
            throw .unreachable(reason: "lost")
        }
        guard let snapshot = try? await store.snapshot(id, for: officer),
            let bytes = FileManager.default.contents(atPath: snapshot.path)
        else {
            note("snapshot withdrawn")
            throw .refused(
                ClientError.ServerRefusal(
                    status: 404, code: .notFound, message: Label("无", "none"), reason: nil, requestID: nil))
        }
        let held = model.held(by: officer.description, at: clock.now)
        if !isRecovering, !held.contains(snapshot.scope) {
            fail(.leak, "a file of \(snapshot.scope), which is not held")
        }
        do {
            var content: [UInt8] = []
            var decoder = try GzipDecoder(limit: snapshot.offer.size)
            try decoder.write([UInt8](bytes)) { content += $0 }
            if isRecovering {
                judgeRecoveringCanaries(content, for: officer.description)
            } else {
                judgeCanaries(content, holding: held)
            }
            for line in content.split(separator: 0x0A) {
                let row = try Value(json: Array(line))
                guard let id = row["row"]?.text.flatMap({ RowID($0) }) else { continue }
                learn(row["collection"]?.text ?? "", id) { row["fields"]?[$0] }
            }
        } catch {
            fail(.codec, "a snapshot cannot be read")
        }
        note("snapshot fetched")
        let piece = min(count, luck.map { _ in 700 } ?? count)
        transferred += min(piece, bytes.count - position)
        return [UInt8](bytes.dropFirst(position).prefix(piece))
    }

    /// Makes the files that an answer announces.
    func makeSnapshots(for answer: ExchangeAnswer) async {
        for page in answer.scopes where page.wait != nil {
            _ = try? await store.makeSnapshot(of: page.scope.description)
            note("snapshot made")
        }
    }
}

extension ReferenceModel {
    /// A deleted row is taken away; `otherwise` is told of one that is not deleted.
    mutating func collect(_ place: Place, otherwise: (Place) -> Void) {
        guard gone.insert(place).inserted else { return }
        if rows.removeValue(forKey: place)?.isDeleted != true { otherwise(place) }
    }
}
