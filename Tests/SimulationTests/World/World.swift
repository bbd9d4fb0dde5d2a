import Foundation
import RoostAPI
import RoostClient
import RoostSchema
import RoostStore
import RoostSync

/// What the product did that the model says it must not.
struct Violation: Error, Hashable {
    let check: Check
    let detail: String
}

/// What an edit is called for ever.
struct EditName: Hashable {
    let replica: UInt64
    let incarnation: Int64
    let number: Int64

    var key: String { ReferenceModel.key(replica, incarnation, number) }
    var asideID: RowID { Quarantine.id(of: number, incarnation: incarnation, by: ReplicaID(replica)) }
}

/// A device that takes part: its files, its clocks, and what was sent from it.
struct SimulatedDevice {
    var seat: Seat
    var clock: DeviceClock
    var directory: String
    var version: Int
    var replica: Replica
    /// Bodies of requests, and answers, that may arrive late.
    var requests: [[UInt8]] = []
    var answers: [ExchangeAnswer] = []
    /// Edits that this device sent.
    var edits: [EditName: Mutation] = [:]
    /// How many acknowledged edits it said it could not give again.
    var unrecovered = 0
    var lastSync: Int64
    /// Scopes it had at the end of its last complete synchronisation, and ever.
    var held: Set<String> = []
    var everHeld: Set<String> = []
    /// What it has shown and was told.
    var session = Session()

    var environment: RoostClient.Environment { Template.environment(clock) }
}

/// One run: the real server, the real devices, and the model that watches them.
actor World {
    let script: Script
    let template: Template
    let sabotage: Sabotage
    let directory: String
    let clock: TrueClock
    var store: ServerStore
    var serverDirectory: String
    var devices: [SimulatedDevice] = []
    var model: ReferenceModel
    var canaries: Canaries
    /// Rows by collection, in the order they were made, those never accepted included.
    var rows: [String: [RowID]]
    /// Conflicts by the identity the server gave them.
    var conflicts: [String: Place] = [:]
    var told: [String: PlainVerdict] = [:]
    /// The edits as they were decided.
    var decided: [String: Mutation] = [:]
    /// Two devices of one database that do not know of each other, and how many there have been.
    var twins: (Int, Int)?
    var latestTwins: (Int, Int)?
    var twinsMade = 0
    var violation: Violation?
    var sometimes: [String: Int] = [:]
    /// Decides what the line does to each exchange; nil while it is good.
    var luck: Seeded?
    var exchanges = 0
    /// Bytes of requests and answers.
    var transferred = 0
    var trace: [String]?
    /// After how many exchanges the device at the line dies; nil while it lives.
    var dying: Int?
    /// Values that gave way before this may be forgotten.
    var historyHorizon: Int64 = 0
    /// When each verdict was first given.
    var toldAt: [String: Int64] = [:]
    /// Whether the server lost a part of its history and devices are bringing it back: the model waits.
    var isRecovering = false
    /// The server's history as devices should name it.
    var epoch: String
    /// The last answer to each device as bytes, for a sabotage that mixes them up.
    var lastBody: [Int: [UInt8]] = [:]
    /// Rows as they were given to each device, for a sabotage that gives them again.
    var givenRows: [String: [WireRow]] = [:]
    private var copies = 0

    init(_ template: Template, _ script: Script, sabotage: Sabotage = .none, traced: Bool = false) throws {
        self.template = template
        self.script = script
        self.sabotage = sabotage
        let clock = TrueClock(Template.start + 3_600_000)
        self.clock = clock
        directory = Template.folder()
        serverDirectory = directory + "/server"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: template.directory + "/server", toPath: serverDirectory)
        store = try Self.serve(serverDirectory, version: 2, clock, snapshots: script.snapshots)
        epoch = store.epoch
        model = template.model
        canaries = template.canaries
        rows = template.rows
        trace = traced ? [] : nil
        for (index, number) in script.devices.enumerated() {
            let place = directory + "/device\(index)"
            try FileManager.default.copyItem(atPath: template.directory + "/device\(number)", toPath: place)
            let version = script.versions[index]
            devices.append(
                SimulatedDevice(
                    seat: template.seats[number],
                    clock: DeviceClock(clock, skew: script.skews[index], hasMarks: script.hasMarks[index]),
                    directory: place, version: version,
                    replica: try Replica(directory: place, catalogue: SmallCounty.catalogue(version: version)),
                    lastSync: clock.now))
        }
    }

    /// Plays the script, lets everything come to rest, and answers with what went wrong.
    func run() async throws -> Violation? {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for (index, event) in script.events.enumerated() where violation == nil {
            say { "\(index). \(event.verb) \(devices[event.device].seat.device.label)" }
            try await happen(event)
            // Other suites run on the same few threads.
            await Task.yield()
        }
        if violation == nil { try await comeToRest() }
        for (path, count) in model.seen { sometimes[path, default: 0] += count }
        for device in devices { try device.replica.close() }
        try store.close()
        return violation
    }

    func happen(_ event: Event) async throws {
        var dice = Seeded(event.dice)
        var index = event.device
        // Every now and then it is the copy that does what happens to the device it was made of.
        if let twins = latestTwins, twins.0 == index, event.dice % 2 == 0 { index = twins.1 }
        switch event.verb {
        case .act: try act(index, &dice)
        case .sync: try await synchronise(index)
        case .lossySync:
            luck = dice
            try await synchronise(index)
            luck = nil
        case .pass: pass(&dice)
        case .setClock:
            let skew = dice.one(of: Script.skews)
            devices[index].clock.set(skew: skew)
            if abs(skew) > 86_400_000 { note("clock wrong by years") }
        case .reboot: devices[index].clock.reboot()
        case .deviceDies: try reopen(index)
        case .serverDies: try restartServer()
        case .lateRequest: try await deliverLate(index, &dice)
        case .lateAnswer: try applyLate(index, &dice)
        case .deviceDiesApplying: try await dieApplying(index, &dice)
        case .operatorActs where event.dice % 5 == 0: try await reconsider(index, &dice)
        case .operatorActs: try await operate(&dice)
        case .upgrade:
            devices[index].version = min(3, devices[index].version + 1)
            try reopen(index)
        case .serverUpgrade:
            model.version = 3
            try restartServer()
        case .serverTidies: try await tidy()
        case .disaster: if twins == nil { try await restoreBackup(&dice) }
        case .copyDevice: try copyDevice(index, &dice)
        }
    }

    func fail(_ check: Check, _ detail: @autoclosure () -> String) {
        guard violation == nil else { return }
        violation = Violation(check: check, detail: detail())
        say { "   ✘ \(check.promise) \(violation?.detail ?? "")" }
    }

    func note(_ path: String) { sometimes[path, default: 0] += 1 }
    func say(_ line: () -> String) { if trace != nil { trace?.append(line()) } }

    private func pass(_ dice: inout Seeded) {
        let days: Int64 = 86_400_000
        switch dice.below(12) {
        case ..<6: clock.advance(Int64(dice.below(10_000)))
        case ..<9: clock.advance(Int64(dice.below(4 * 3_600_000)))
        case 9: clock.advance(Int64(1 + dice.below(10)) * days)
        case 10: clock.advance(31 * days)
        default: clock.advance(400 * days)
        }
    }

    // MARK: Dying and coming back

    /// A folder whose files are those of another as they are now: what a machine finds that lost power.
    func copy(_ from: String, _ name: String) throws -> String {
        copies += 1
        let target = directory + "/\(name)-\(copies)"
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        for file in try FileManager.default.contentsOfDirectory(atPath: from) where !file.hasSuffix("-shm") {
            try FileManager.default.copyItem(atPath: from + "/" + file, toPath: target + "/" + file)
        }
        return target
    }

    func reopen(_ index: Int) throws {
        let place = try copy(devices[index].directory, "device\(index)")
        try devices[index].replica.close()
        try FileManager.default.removeItem(atPath: devices[index].directory)
        devices[index].directory = place
        devices[index].replica = try Replica(
            directory: place, catalogue: SmallCounty.catalogue(version: devices[index].version))
        note("device died")
    }

    func restartServer() throws {
        let place = try copy(serverDirectory, "server")
        try store.close()
        try FileManager.default.removeItem(atPath: serverDirectory)
        serverDirectory = place
        store = try Self.serve(place, version: model.version, clock, snapshots: script.snapshots)
        note("server died")
    }

    static func serve(
        _ directory: String, version: Int, _ clock: TrueClock, snapshots: Bool
    ) throws -> ServerStore {
        let store = try ServerStore(
            directory: directory, catalogue: SmallCounty.catalogue(version: version),
            clock: { Milliseconds(clock.now) })
        if snapshots { _ = try store.snapshots.open(minimumRows: 5) }
        return store
    }

    /// What the model calls a row.
    func place(_ collection: String, _ row: RowID) -> Place {
        let id = row.description
        guard collection == "conflict" else { return Place(kind: collection, id: id) }
        return conflicts[id] ?? Place(kind: collection, id: id)
    }
}
