import RoostAPI
import Testing

/// A county just large enough for the journey: a server, an officer of each role, a chapter, and devices for them.
final class County: Sendable {
    let place: Place
    let server: ServerUnderTest
    let admin: String
    let registrar: String
    let liaison: String
    let coordinator: String
    let mentor: String
    let secondMentor: String
    let approver: String
    let chapter: String
    /// The registrar's second device, with which the tests arrange things.
    let wire: WireDevice

    static let names = ["admin": "管系统", "registrar": "管名册", "liaison": "联络甲", "coordinator": "负责乙", "approver": "审批丙"]
    static let mentors = ["导师丁", "导师戊"]

    private init(_ place: Place, _ server: ServerUnderTest) async throws {
        func officer(_ role: String, chapter: String? = nil) async throws -> String {
            try await server.addOfficer(Self.names[role] ?? role, role: role, chapter: chapter)
        }
        self.place = place
        self.server = server
        admin = try await officer("admin")
        registrar = try await officer("registrar")
        liaison = try await officer("liaison")
        approver = try await officer("approver")
        mentor = try await server.addOfficer(Self.mentors[0], role: "mentor")
        secondMentor = try await server.addOfficer(Self.mentors[1], role: "mentor")
        wire = try await WireDevice.enrolled(as: registrar, at: server)
        chapter = WireDevice.newRow()
        try await wire.push([.create("chapter", chapter, ["name": "广州分部", "kind": "city", "city": "广州市"])])
        coordinator = try await officer("coordinator", chapter: chapter)
    }

    /// Starts a server and appoints its officers.
    static func founded(settings: [String: String] = [:]) async throws -> County {
        let place = try Place()
        let server = try ServerUnderTest(place: place, settings: settings)
        try await server.start()
        return try await County(place, server)
    }

    func device(_ name: String, of officer: String, through url: String? = nil) async throws -> Device {
        try await Device.enrolled(name, as: officer, at: server, through: url, place: place)
    }

    struct Student: Sendable {
        let row: String
        let name: String
    }

    /// Brings students into the chapter and gives them the liaison officer.
    func admit(_ students: [Student]) async throws {
        try await wire.push(
            students.flatMap { student -> [WireDevice.Edit] in
                [
                    .create(
                        "membership", WireDevice.newRow(), ["chapter": .text(chapter), "student": .text(student.row)]),
                    .create(
                        "liaison", WireDevice.newRow(),
                        [
                            "student": .text(student.row), "officer": .text(liaison), "kind": "liaison",
                            "state": "active",
                        ]),
                ]
            })
    }

    /// A mentor's link to a student.
    struct Assignment: Sendable {
        let row: String
        let stamp: String
    }

    func assign(_ student: String, to mentor: String) async throws -> Assignment {
        let row = WireDevice.newRow()
        let stamps = try await wire.push([
            .create(
                "liaison", row,
                ["student": .text(student), "officer": .text(mentor), "kind": "mentor", "state": "active"])
        ])
        return Assignment(row: row, stamp: stamps[0])
    }

    /// Ends a mentor's link.
    func end(_ assignment: Assignment) async throws {
        try await wire.push([.edit("liaison", assignment.row, ["state": "ended"], base: assignment.stamp)])
    }
}
