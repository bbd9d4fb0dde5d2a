import Foundation
import RoostClient
import RoostStore
import RoostSync

/// A walk over the states of a device: what can happen to it, one thing after the other, with the real replica and the
/// real server's store, from files to files.
struct StateWalk {
    /// What may happen to a device, its line, its owner or its server.
    enum Event: String, CaseIterable {
        case edit, wrongEdit
        /// A synchronisation that is cut off: before anything arrives, before the first answer comes back, after it, and
        /// within a file.
        case requestLost, answerLost, oneExchange, snapshotBreaks
        case roleEnds, roleReturns, revoked, othersEdit
        /// The server is put back; a second machine goes on with the device's database; forty days pass.
        case putBack, twinGoesOn, monthsPass
    }

    enum Outbox: String { case empty, waiting, sent }

    /// What tells one state from another: as much as decides what the device does next.
    struct State: Hashable, CustomStringConvertible {
        let outbox: Outbox
        let hasRefused: Bool
        /// Whether it knows of another copy of its database, and whether there is one that has been further.
        let isCopied: Bool
        let isOvertaken: Bool
        /// Whether it was told that it may come no more, and whether it will be.
        let isRevoked: Bool
        let mayNotCome: Bool
        let isOfThisHistory: Bool
        let isLoading: Bool
        /// Whether the server waits to hear that something is gone from here.
        let owesWord: Bool
        /// Whether contact fields are locked.
        let isLocked: Bool
        /// Whether students are here, and whether the owner's role says that they should be.
        let holdsStudents: Bool
        let hasRole: Bool

        var description: String {
            let marks = [
                (hasRefused, "refused edits"), (isCopied, "copied"), (isOvertaken, "overtaken by a copy"),
                (isRevoked, "revoked"), (mayNotCome, "to be told that it is revoked"),
                (!isOfThisHistory, "of another history"), (isLoading, "loading"), (owesWord, "owes word of a purge"),
                (isLocked, "locked"), (!holdsStudents, "without students"), (!hasRole, "without a role"),
            ]
            return (["outbox \(outbox)"] + marks.filter(\.0).map(\.1)).joined(separator: ", ")
        }
    }

    /// The files of a state, and what is not in them.
    struct Moment {
        var directory: String
        let now: Int64
        let device: Device
        let identities: UInt64

        /// The same in a folder of its own.
        func copied() throws -> Moment {
            var copy = self
            copy.directory = Template.folder()
            try FileManager.default.copyItem(atPath: directory, toPath: copy.directory)
            return copy
        }

        func remove() { try? FileManager.default.removeItem(atPath: directory) }
    }

    /// By which events each state was reached first.
    private(set) var ways: [State: [Event]] = [:]
    /// What did not come to rest.
    private(set) var problems: [String] = []

    /// Walks as far as so many events lead, from a device that has synchronised once and from one that never has.
    mutating func walk(from template: Template, depth: Int) async throws {
        var level: [(Moment, [Event])] = []
        defer { for (moment, _) in level { moment.remove() } }
        for isNew in [false, true] { level.append((try await begin(template, isNew: isNew), [])) }
        for _ in 0..<depth {
            var next: [(Moment, [Event])] = []
            for (moment, way) in level {
                for event in Event.allCases {
                    if let reached = try await step(from: moment, way, event) { next.append(reached) }
                }
                moment.remove()
            }
            level = next
        }
    }

    private mutating func begin(_ template: Template, isNew: Bool) async throws -> Moment {
        let directory = Template.folder()
        let files = FileManager.default
        try files.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try files.copyItem(atPath: template.directory + "/server", toPath: directory + "/server")
        try files.copyItem(atPath: directory + "/server/" + ServerStore.fileName, toPath: directory + "/backup")
        let index = template.seats.firstIndex { $0.officer == Station.officer } ?? 0
        var device = template.seats[index].device
        if isNew, let spare = template.spares[Station.officer] {
            device = spare
            let seat = Seat(officer: Station.officer, role: template.seats[index].role, device: spare)
            try Template.create(seat, directory + "/device", version: 2).close()
        } else {
            try files.copyItem(atPath: template.directory + "/device\(index)", toPath: directory + "/device")
        }
        let station = try Station(
            Moment(directory: directory, now: Template.start + 3_600_000, device: device, identities: 200))
        ways[try await station.state()] = []
        return try station.close()
    }

    /// Lets an event happen; answers with the state if it is a new one, once it is known to come to rest.
    private mutating func step(
        from moment: Moment, _ way: [Event], _ event: Event
    ) async throws -> (Moment, [Event])? {
        let copy = try moment.copied()
        let station = try Station(copy)
        guard try await station.happen(event) else {
            _ = try station.close()
            copy.remove()
            return nil
        }
        let state = try await station.state()
        let reached = try station.close()
        guard ways[state] == nil else {
            reached.remove()
            return nil
        }
        ways[state] = way + [event]
        let trial = try reached.copied()
        let resting = try Station(trial)
        if let problem = try await resting.rest() {
            problems.append("\(state), by \((way + [event]).map(\.rawValue)): \(problem)")
        }
        _ = try resting.close()
        trial.remove()
        return (reached, way + [event])
    }
}
