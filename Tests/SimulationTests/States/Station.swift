import Foundation
import GRDB
import RoostAPI
import RoostClient
import RoostSchema
import RoostStore
import RoostSync
import Synchronization

/// One real server and one real device in a folder, opened to see what an event makes of them.
final class Station {
    let directory: String
    let clock: TrueClock
    private(set) var store: ServerStore
    private(set) var replica: Replica
    private(set) var line: StationLine
    /// How many identities were given out.
    private var identities: UInt64

    /// A device's owner, who answers for three students.
    static let officer = Template.id("liaison one")
    static let student = Template.id("student 0")
    private static let grant = Template.id("liaison one appointment")

    var device: Device { line.device.withLock { $0 } }

    init(_ moment: StateWalk.Moment) throws {
        directory = moment.directory
        clock = TrueClock(moment.now)
        identities = moment.identities
        store = try World.serve(directory + "/server", version: 2, clock, snapshots: true)
        replica = try Replica(directory: directory + "/device", catalogue: SmallCounty.catalogue(version: 2))
        line = StationLine(store, moment.device)
    }

    /// Closes everything, as when both lose power between two events; answers with what is left.
    func close() throws -> StateWalk.Moment {
        try replica.close()
        try store.close()
        return StateWalk.Moment(directory: directory, now: clock.now, device: device, identities: identities)
    }

    /// Without a steady clock, which would begin anew with each event.
    private var environment: RoostClient.Environment {
        Template.environment(DeviceClock(clock, skew: 0, hasMarks: false))
    }

    private func synchroniser(_ line: StationLine) -> Synchroniser {
        Synchroniser(replica: replica, server: line, environment: environment)
    }

    @discardableResult
    func synchronise() async throws -> SyncReport { try await synchroniser(line).run() }

    // MARK: What happens

    /// Lets something happen; tells whether it could.
    func happen(_ event: StateWalk.Event) async throws -> Bool {
        clock.advance(60_000)
        switch event {
        case .edit:
            guard try replica.row("student", Self.student) != nil else { return false }
            try type(.text("typed at \(clock.now)"))
        case .wrongEdit: try type(.boolean(true))
        case .requestLost: await attempt(losing: .request)
        case .answerLost: await attempt(losing: .answer)
        case .oneExchange: await attempt(losing: .secondRequest)
        case .snapshotBreaks: await attempt(losing: .restOfSnapshot)
        case .roleEnds: return try await setRole("ended")
        case .roleReturns: return try await setRole("active")
        case .revoked:
            guard try !store.isRevoked(device.replica) else { return false }
            try await store.revoke(device.replica)
        case .othersEdit: try await write("student", Self.student, ["nick": .text("\(clock.now)")])
        case .putBack: return try putBack()
        case .twinGoesOn: return try await twin()
        case .monthsPass:
            clock.advance(40 * 86_400_000)
            _ = try await store.collect(Retention(tombstoneDays: 12, historyDays: 20, verdictDays: 12))
        }
        return true
    }

    private func type(_ name: Value) throws {
        try replica.queue(
            [Edit("student", Self.student, .edit, [Mutation.Change("name", name)])], grouped: false,
            at: environment.moment)
    }

    private func attempt(losing loss: StationLine.Loss) async {
        line.loss.withLock { $0 = loss }
        defer { line.loss.withLock { $0 = nil } }
        _ = try? await synchronise()
    }

    private func write(_ collection: CollectionName, _ row: RowID, _ fields: [FieldName: Value]) async throws {
        _ = try await store.write([TrustedEdit(collection, row, .edit, fields)], by: Template.id("registrar"))
    }

    private func setRole(_ state: String) async throws -> Bool {
        let row = try await store.rows(of: "appointment").first { $0.key.id == Self.grant }
        guard let row, !row.values.contains(.text(state)) else { return false }
        try await write("appointment", Self.grant, ["state": .text(state)])
        return true
    }

    /// The server is put back from the copy made before everything.
    private func putBack() throws -> Bool {
        // A device that is wrong about itself is not believed again within the hour.
        clock.advance(2 * 3_600_000)
        try store.close()
        _ = try ServerStore.restore(directory + "/backup", to: directory + "/server")
        store = try World.serve(directory + "/server", version: 2, clock, snapshots: true)
        line = StationLine(store, device)
        return true
    }

    /// A second machine with this device's database edits and synchronises.
    private func twin() async throws -> Bool {
        guard try replica.revokedDevice() == nil, try replica.row("student", Self.student) != nil else { return false }
        let place = directory + "/twin"
        try replica.close()
        try FileManager.default.copyItem(atPath: directory + "/device", toPath: place)
        defer { try? FileManager.default.removeItem(atPath: place) }
        replica = try Replica(directory: place, catalogue: SmallCounty.catalogue(version: 2))
        try type(.text("typed on the twin"))
        _ = try? await synchronise()
        try replica.close()
        replica = try Replica(directory: directory + "/device", catalogue: SmallCounty.catalogue(version: 2))
        return true
    }

    // MARK: Coming to rest

    /// Lets the device come over a good line until it is at rest, following what it is told to do.
    ///
    /// - Returns: what is wrong; nil if nothing is.
    func rest() async throws -> String? {
        var stops: [String] = []
        for _ in 0..<4 {
            clock.advance(1000)
            do {
                try await synchronise()
                if let unrest = try await unrest() { return "\(unrest), after \(stops)" }
                return try await difference()
            } catch let stop as ClientError {
                guard try await isProper(stop) else { return "\(stop.code) is no stop that a person can go on from" }
                stops.append(stop.code)
                try await enrolAgain()
            }
        }
        return "stops again and again: \(stops)"
    }

    /// Whether a stop is one of the three that tell what to do, keeps telling it, and keeps what was typed.
    private func isProper(_ stop: ClientError) async throws -> Bool {
        let isUnknown = if case .refused(let refusal) = stop { refusal.code == .unauthorized } else { false }
        guard isUnknown || ["replica_copied", "device_revoked"].contains(stop.code) else { return false }
        guard stop.message.zh.contains("roost enrol"), stop.message.en.contains("roost enrol") else { return false }
        let unsent = try replica.unsent()
        do {
            try await synchronise()
            return false
        } catch let again as ClientError {
            return try again.code == stop.code && replica.unsent() == unsent
        }
    }

    private func enrolAgain() async throws {
        let enrolment = try Enrolment(
            of: replica, at: "http://server.invalid", random: { 0xE000 + self.identities + 1 })
        try enrolment.keep(answer(try await admit(enrolment.identity)), label: "again")
    }

    private func admit(_ identity: ReplicaID, isOwn: Bool = true) async throws -> Device {
        identities += 1
        let code = [UInt8](withUnsafeByteBytes(identities))
        try await store.keepCode(hash: code, for: Self.officer, until: Milliseconds(.max), madeBy: nil)
        let device = try await store.redeemCode(
            hash: code, replica: identity, label: "again", tokenHash: code, expecting: Self.officer)
        if isOwn { line = StationLine(store, device) }
        return device
    }

    private func withUnsafeByteBytes(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }

    private func answer(_ device: Device) -> EnrolmentAnswer {
        EnrolmentAnswer(
            token: "again", officer: device.officer.description, name: "liaison", roles: ["liaison"],
            epoch: store.epoch)
    }

    /// What still waits after a synchronisation that went through.
    private func unrest() async throws -> String? {
        let status = try replica.status()
        if status.pending > 0 { return "\(status.pending) edits wait" }
        if try !replica.downloads().isEmpty { return "a snapshot is under way" }
        if try replica.isCopied() { return "still called a copy" }
        if try replica.revokedDevice() != nil { return "still called revoked" }
        if try await store.devices().first(where: { $0.device.replica == device.replica })?.unconfirmed.isEmpty == false
        {
            return "a purge is not confirmed"
        }
        if try replica.observeLease(at: environment.moment) != nil { return "the lease is over" }
        let again = try await synchronise()
        return again.hasNews || again.exchanges != 1 ? "there is always something new: \(again)" : nil
    }

    /// What a device that begins from nothing shows otherwise.
    private func difference() async throws -> String? {
        let place = directory + "/fresh"
        defer { try? FileManager.default.removeItem(atPath: place) }
        let own = try await admit(ReplicaID(0xF000 + identities), isOwn: false)
        let fresh = try Template.create(
            Seat(officer: Self.officer, role: "liaison", device: own), place, version: 2)
        defer { try? fresh.close() }
        _ = try await Synchroniser(
            replica: fresh, server: StationLine(store, own), environment: environment
        ).run()
        for collection in replica.rules.catalogue.collections {
            let (mine, theirs) = try (shown(on: replica, collection), shown(on: fresh, collection))
            if mine != theirs { return "shows \(collection.name) as \(mine), not \(theirs)" }
        }
        return nil
    }

    private func shown(on replica: Replica, _ collection: RoostSchema.Collection) throws -> [String] {
        try replica.rows(of: collection.name).map { "\($0.row.key.id) \($0.row.values) \($0.masked.sorted())" }.sorted()
    }

    // MARK: Where it stands

    /// What tells one state of a device from another.
    func state() async throws -> StateWalk.State {
        let mine = try await read(directory + "/device/" + Replica.fileName) { db in
            (
                isSent: try Bool.fetchOne(
                    db, sql: "SELECT EXISTS (SELECT 1 FROM outbox WHERE sent = 1 AND answered = 0)") ?? false,
                owesWord: try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM meta WHERE name = 'purged_rows')")
                    ?? false,
                next: try Int64.fetchOne(db, sql: "SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'next_number'")
                    ?? 1
            )
        }
        let me = Int64(bitPattern: device.replica.bits)
        let last = try await read(directory + "/server/" + ServerStore.fileName) { db in
            try Int64.fetchOne(db, sql: "SELECT last_number FROM replica WHERE id = ?", arguments: [me]) ?? 0
        }
        let status = try replica.status()
        let isRevoked = try replica.revokedDevice() != nil
        let role = try await store.rows(of: "appointment").first { $0.key.id == Self.grant }
        return StateWalk.State(
            outbox: mine.isSent ? .sent : status.pending > 0 ? .waiting : .empty, hasRefused: status.refused > 0,
            isCopied: try replica.isCopied(), isOvertaken: last >= mine.next, isRevoked: isRevoked,
            mayNotCome: try !isRevoked && store.isRevoked(device.replica),
            isOfThisHistory: status.epoch == store.epoch, isLoading: status.snapshot != nil, owesWord: mine.owesWord,
            isLocked: try replica.observeLease(at: environment.moment) != nil,
            holdsStudents: status.rows["student"] != nil, hasRole: role?.values.contains("active") ?? false)
    }

    private func read<Result: Sendable>(
        _ file: String, _ body: @escaping @Sendable (Database) throws -> Result
    ) async throws -> Result {
        let queue = try DatabaseQueue(path: file)
        defer { try? queue.close() }
        return try await queue.read(body)
    }
}

/// A device's line to the server of its folder: through the codec, as over HTTP.
final class StationLine: ExchangeServer {
    enum Loss { case request, answer, secondRequest, restOfSnapshot }

    let device: Mutex<Device>
    let loss = Mutex<Loss?>(nil)
    private let store: ServerStore

    init(_ store: ServerStore, _ device: Device) {
        self.store = store
        self.device = Mutex(device)
    }

    private static let lost = ClientError.unreachable(reason: "interrupted")

    private static func refusal(_ status: Int, _ code: APIErrorCode, _ reason: String? = nil) -> ClientError {
        .refused(
            ClientError.ServerRefusal(
                status: status, code: code, message: Label("否", "no"), reason: reason, requestID: nil))
    }

    func limits() async throws(ClientError) -> Limits { Limits() }

    func confirmRevoked(_ replica: ReplicaID) async throws(ClientError) {
        do { try await store.confirmRevoked(replica) } catch { throw .badAnswer }
    }

    func exchange(_ request: ExchangeRequest) async throws(ClientError) -> ExchangeAnswer {
        let loss = loss.withLock { loss in
            defer { if loss == .secondRequest { loss = .request } }
            return loss
        }
        if loss == .request { throw Self.lost }
        let answer: ExchangeAnswer
        do {
            let device = device.withLock { $0 }
            guard try await store.devices().contains(where: { $0.device.replica == device.replica }) else {
                throw Self.refusal(401, .unauthorized)
            }
            guard try !store.isRevoked(device.replica) else { throw Self.refusal(403, .deviceRevoked) }
            let bytes = try await store.exchange(
                try ExchangeRequest(json: request.json), device: device, mutationLimit: 5000, pageBytes: 2048
            ).answer
            answer = try ExchangeAnswer(json: bytes)
            for page in answer.scopes where page.wait != nil {
                _ = try await store.makeSnapshot(of: page.scope.description)
            }
        } catch let error as ClientError {
            throw error
        } catch let error as ExchangeError where error == .oldIncarnation || error == .verdictsForgotten {
            throw Self.refusal(409, .conflict, ReplicaCopied.reason)
        } catch {
            throw .badAnswer
        }
        if loss == .answer { throw Self.lost }
        return answer
    }

    func snapshot(_ id: String, from position: Int, count: Int) async throws(ClientError) -> [UInt8] {
        if position > 0, loss.withLock({ $0 }) == .restOfSnapshot { throw Self.lost }
        let officer = device.withLock { $0.officer }
        guard let snapshot = try? await store.snapshot(id, for: officer),
            let bytes = FileManager.default.contents(atPath: snapshot.path)
        else { throw Self.refusal(404, .notFound) }
        return [UInt8](bytes.dropFirst(position).prefix(min(count, 300)))
    }
}
