import Foundation
import RoostAPI
import RoostClient
import RoostSchema
import RoostStore
import RoostSync

/// A device that may take part.
struct Seat: Sendable {
    let officer: RowID
    let role: String
    let device: Device
}

/// The county as every run finds it: a server's files, files of devices that have synchronised once, and the model of
/// them; made once and copied, because opening databases is most of what a run costs.
struct Template: Sendable {
    let directory: String
    let seats: [Seat]
    /// For each officer a device that has never synchronised.
    let spares: [RowID: Device]
    let model: ReferenceModel
    let canaries: Canaries
    /// Rows by collection, in the order they were made.
    let rows: [String: [RowID]]

    static let start: Int64 = 1_757_635_200_000

    /// A folder in memory where there is one: the runs write much and keep nothing.
    static func folder() -> String {
        let base = FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm/" : NSTemporaryDirectory()
        return base + "roost-simulation-" + UUID().uuidString
    }

    func remove() { try? FileManager.default.removeItem(atPath: directory) }

    static func id(_ name: String) -> RowID { RowID(naming: "simulation", name) }

    /// Who has how many devices.
    private static let staff: [(name: String, role: String, target: String?, devices: Int)] = [
        ("registrar", "registrar", nil, 2), ("liaison one", "liaison", nil, 2), ("liaison two", "liaison", nil, 1),
        ("coordinator east", "coordinator", "east", 2), ("coordinator west", "coordinator", "west", 1),
        ("mentor", "mentor", nil, 1),
    ]

    static let chapters = ["east", "west", "south"]
    static let officerNames = staff.map(\.name)
    private static let studentCount = 10

    static func make() async throws -> Template {
        let directory = folder()
        let clock = TrueClock(start)
        let store = try ServerStore(
            directory: directory + "/server", catalogue: SmallCounty.catalogue(version: 2),
            clock: { Milliseconds(clock.now) }, random: { 0x5EED })
        var maker = TemplateMaker(clock: clock)
        maker.model.officers[store.writer.bits] = RowID(bits: 0).description
        try await maker.write(people(&maker), to: store)
        clock.advance(60_000)
        var seats: [Seat] = []
        var spares: [RowID: Device] = [:]
        var code: UInt8 = 0
        func enrol(_ officer: RowID, _ label: String) async throws -> Device {
            code += 1
            try await store.keepCode(hash: [code], for: officer, until: Milliseconds(.max), madeBy: nil)
            return try await store.redeemCode(
                hash: [code], replica: ReplicaID(0xD000 + UInt64(code)), label: label, tokenHash: [code])
        }
        for person in staff {
            let officer = id(person.name)
            for number in 1...person.devices {
                let device = try await enrol(officer, "\(person.name) \(number)")
                seats.append(Seat(officer: officer, role: person.role, device: device))
            }
            spares[officer] = try await enrol(officer, "\(person.name) spare")
        }
        for device in seats.map(\.device) + spares.values {
            maker.model.officers[device.replica.bits] = device.officer.description
        }
        for (index, seat) in seats.enumerated() {
            let replica = try create(seat, directory + "/device\(index)", version: 2)
            let line = PlainLine(store: store, device: seat.device)
            _ = try await Synchroniser(
                replica: replica, server: line, environment: environment(DeviceClock(clock, skew: 0, hasMarks: true))
            ).run()
            try replica.close()
        }
        try store.close()
        try Trap.prepare(directory + "/server/" + ServerStore.fileName, Trap.server + Trap.beside)
        for index in seats.indices {
            try Trap.prepare(directory + "/device\(index)/" + Replica.fileName, Trap.device)
        }
        return Template(
            directory: directory, seats: seats, spares: spares, model: maker.model, canaries: maker.canaries,
            rows: maker.rows)
    }

    static func create(_ seat: Seat, _ directory: String, version: Int) throws -> Replica {
        try Replica.create(
            directory: directory, catalogue: SmallCounty.catalogue(version: version),
            enrolled: Enrolled(
                server: "http://server.invalid", token: "token", replica: seat.device.replica, officer: seat.officer,
                name: seat.role, roles: [RoleName(seat.role)], label: seat.device.label))
    }

    static func environment(_ clock: DeviceClock) -> RoostClient.Environment {
        Environment(now: { clock.now }, mark: { clock.mark }, random: { 1 }, sleep: { _ in })
    }

    private static func people(_ maker: inout TemplateMaker) -> [TrustedEdit] {
        var edits: [TrustedEdit] = []
        for name in chapters { edits.append(maker.create("chapter", id(name), ["name": .text(name)])) }
        for (index, person) in staff.enumerated() {
            edits.append(
                maker.create(
                    "officer", id(person.name),
                    ["name": .text(person.name), "capacity": .integer(index == 1 ? 4 : 20)]))
            edits.append(
                maker.create(
                    "appointment", id("\(person.name) appointment"),
                    [
                        "officer": .id(id(person.name)), "role": .text(person.role),
                        "target": person.target.map { .id(id($0)) } ?? .null,
                    ]))
        }
        for number in 0..<studentCount {
            let student = id("student \(number)")
            let place = Place(kind: "student", id: student.description)
            func canary(_ field: String) -> Value { .text(maker.canaries.text(for: place, field, device: nil)) }
            edits.append(
                maker.create(
                    "student", student,
                    [
                        "name": canary("name"), "wechat": canary("wechat"), "note": canary("note"),
                        "phone": .text(maker.canaries.phone(for: place, "phone", device: nil)),
                        "shared": .boolean(number % 3 == 0), "minor": .boolean(number % 5 == 4),
                    ]))
            if number < 8 {
                edits.append(
                    maker.create(
                        "membership", id("membership \(number)"),
                        ["student": .id(student), "chapter": .id(id(chapters[number % 2]))]))
            }
            if number != 7 {
                edits.append(
                    maker.create(
                        "liaison", id("liaison \(number)"),
                        [
                            "student": .id(student), "kind": "liaison",
                            "officer": .id(id(number < 3 ? "liaison one" : "liaison two")),
                        ]))
            }
            if number % 4 == 0 {
                edits.append(
                    maker.create(
                        "liaison", id("mentoring \(number)"),
                        ["student": .id(student), "kind": "mentor", "officer": .id(id("mentor"))]))
            }
        }
        return edits
    }
}

/// What is being put together.
struct TemplateMaker {
    let clock: TrueClock
    var model = ReferenceModel()
    var canaries = Canaries()
    var rows: [String: [RowID]] = [:]

    mutating func create(_ collection: CollectionName, _ row: RowID, _ fields: [FieldName: Value]) -> TrustedEdit {
        rows[collection.text, default: []].append(row)
        return TrustedEdit(collection, row, .create, fields)
    }

    mutating func write(_ edits: [TrustedEdit], to store: ServerStore) async throws {
        let receipt = try await store.write(edits, by: Template.id("registrar"))
        for (edit, verdict) in zip(edits, receipt.verdicts) { model.take(edit, verdict, at: clock.now) }
    }
}

extension ReferenceModel {
    /// Takes a write of the server's own.
    mutating func take(_ edit: TrustedEdit, _ verdict: Verdict, at now: Int64) {
        guard let stamp = verdict.stamp else { return }
        serverWrote(
            Place(kind: edit.collection.text, id: edit.row.description),
            PlainEdit.Action(rawValue: edit.action.rawValue) ?? .edit,
            Dictionary(uniqueKeysWithValues: edit.fields.map { ($0.key.text, Plain($0.value)) }), Dated(stamp), at: now)
    }
}

/// A line on which nothing goes wrong.
struct PlainLine: ExchangeServer {
    let store: ServerStore
    let device: Device

    func limits() async throws(ClientError) -> Limits { Limits() }

    func exchange(_ request: ExchangeRequest) async throws(ClientError) -> ExchangeAnswer {
        do {
            let (answer, _) = try await store.exchange(
                try ExchangeRequest(json: request.json), device: device, mutationLimit: 5000, pageBytes: 1 << 20)
            return try ExchangeAnswer(json: answer)
        } catch {
            throw .badAnswer
        }
    }
}
