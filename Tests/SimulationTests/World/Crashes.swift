import Foundation
import GRDB
import RoostClient
import RoostSchema
import RoostStore
import RoostSync

/// Crashes in the middle of a transaction: a trigger on a table lets the transaction that comes to it fail.
///
/// The triggers stand in every database from the beginning and ask a table which of them is armed, because making one
/// would have SQLite compile every statement again.
enum Trap {
    /// All before the commit that decides: what comes after it is a loss of the answer.
    static let server = [
        "INSERT verdict", "INSERT member", "INSERT authority", "INSERT history", "INSERT student", "UPDATE student",
        "UPDATE meta",
    ]
    /// Of the transactions beside that one: what is surrendered, what a device has and owes, what it gives again.
    static let beside = [
        "INSERT quarantine", "UPDATE replica", "INSERT recovery", "UPDATE recovery", "INSERT epoch_begun",
    ]
    static let device = [
        "INSERT copy", "INSERT journal", "INSERT refused", "INSERT student", "INSERT held", "UPDATE held",
        "UPDATE meta",
        "UPDATE outbox", "DELETE copy", "DELETE outbox",
    ]

    static func prepare(_ file: String, _ places: [String]) throws {
        let queue = try DatabaseQueue(path: file)
        try queue.write { db in
            try db.execute(
                sql: "CREATE TABLE simulated_crash (place TEXT NOT NULL); INSERT INTO simulated_crash VALUES ('')")
            for place in places {
                let words = place.split(separator: " ")
                try db.execute(
                    sql: """
                        CREATE TRIGGER "crash at \(place)" BEFORE \(words[0]) ON "\(words[1])"
                        WHEN (SELECT place FROM simulated_crash) = '\(place)'
                        BEGIN SELECT RAISE(ABORT, 'simulated crash'); END
                        """)
            }
        }
        try queue.close()
    }
}

extension World {
    /// Changes a database behind the product's back.
    func sideways(_ file: String, _ sql: String) throws(ClientError) {
        do {
            let queue = try DatabaseQueue(path: file)
            try queue.writeWithoutTransaction { db in try db.execute(sql: sql) }
            try queue.close()
        } catch {
            throw .unreachable(reason: "\(error)")
        }
    }

    /// The last sequence that the server has.
    func head() throws -> Int64 {
        let queue = try DatabaseQueue(path: serverFile)
        defer { try? queue.close() }
        return try queue.read { db in
            try Int64.fetchOne(db, sql: "SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'sequence'") ?? 0
        }
    }

    /// When the server last wrote an edit that it set aside; nil if it has none by that name.
    func stamp(of place: Place) -> Dated? {
        let queue = try? DatabaseQueue(path: serverFile)
        defer { try? queue?.close() }
        let id = RowID(place.id).map { $0.description.replacing("-", with: "") } ?? ""
        return try? queue?.read { db in
            let row = try GRDB.Row.fetchOne(db, sql: "SELECT stamp FROM quarantine WHERE id = x'\(id)'")
            return row.map { Self.dated($0[0] as Data) }
        }
    }

    func read<Result: Sendable>(
        _ file: String, _ body: @escaping @Sendable (Database) throws -> Result
    ) async throws -> Result {
        let queue = try DatabaseQueue(path: file)
        defer { try? queue.close() }
        return try await queue.read(body)
    }

    private func arm(_ place: String, in file: String) throws(ClientError) {
        try sideways(file, "UPDATE simulated_crash SET place = '\(place)'")
    }

    var serverFile: String { serverDirectory + "/" + ServerStore.fileName }

    /// The server does its part, or dies at some place of it.
    func serveDying(_ body: [UInt8], for index: Int) async throws(ClientError) -> [UInt8] {
        if luck?.chance(3) ?? false { return try await serveDyingBeside(body, for: index) }
        let chosen = Trap.server[luck?.below(Trap.server.count) ?? 0]
        // What is surrendered is written in a transaction of its own, after the one that decides.
        let surrenders = (try? ExchangeRequest(json: body))?.surrendered.isEmpty == false
        let place = surrenders ? Trap.server[0] : chosen
        try arm(place, in: serverFile)
        let caught: Result<[UInt8], ClientError>
        do throws(ClientError) {
            caught = .success(try await serve(body, for: index))
        } catch {
            caught = .failure(error)
            note("server died at \(place)")
            note("server died deciding")
        }
        try arm("", in: serverFile)
        return try caught.get()
    }

    /// The server dies in a transaction beside the one that decides, which may have been committed; the device asks again.
    private func serveDyingBeside(_ body: [UInt8], for index: Int) async throws(ClientError) -> [UInt8] {
        let place = Trap.beside[luck?.below(Trap.beside.count) ?? 0]
        if let request = try? ExchangeRequest(json: body) {
            try arm(place, in: serverFile)
            do {
                _ = try await store.exchange(
                    request, device: devices[index].seat.device, mutationLimit: 5000, pageBytes: script.pageBytes)
            } catch is DatabaseError {
                note("server died at \(place)")
                note("server died beside deciding")
            } catch {
                // Refused as a whole; so is the next.
            }
            try arm("", in: serverFile)
        }
        return try await serve(body, for: index)
    }

    /// The device dies before the transaction commits that applies an answer, or between two of them.
    func dieApplying(_ index: Int, _ dice: inout Seeded) async throws {
        let place = dice.chance(2) ? dice.one(of: Trap.device) : ""
        let file = devices[index].directory + "/" + Replica.fileName
        try arm(place, in: file)
        if place.isEmpty { dying = 1 + dice.below(3) }
        do {
            let device = devices[index]
            exchanges = 0
            _ = try await Synchroniser(
                replica: device.replica, server: Line(self, index), environment: device.environment
            ).run { _ in watch(index) }
        } catch is ReplicaError {
            note("device died at \(place)")
            note("device died applying")
        } catch is ClientError {
            if place.isEmpty { note("device died between two answers") }
        }
        dying = nil
        devices[index].session.forgive()
        try arm("", in: file)
        try reopen(index)
    }
}
