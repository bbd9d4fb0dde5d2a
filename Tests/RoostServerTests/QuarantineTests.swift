import Curl
import RoostAPI
import RoostSchema
import RoostServer
import RoostStore
import RoostSync
import Testing

/// Who finds edits that were set aside.
struct QuarantineTests {
    private static let chapters = [RowID(bits: 0xC1), RowID(bits: 0xC2)]
    private static let student = RowID(bits: 0x51)
    private static let author = "00000000000000b1"

    /// A chapter's coordinator, and a mentor of its only member.
    private struct Cast {
        let coordinator: String
        let officer: RowID
        let mentor: String
    }

    private func cast(_ server: RunningServer) async throws -> Cast {
        let accounts = server.application.accounts
        _ = try await server.store.write(
            Self.chapters.map { TrustedEdit("chapter", $0, .create, ["name": "分部", "kind": "city"]) } + [
                TrustedEdit(
                    "student", Self.student, .create,
                    ["name": "谭梓森", "birth": "2000-05", "mobile": "+8619900000001"]),
                TrustedEdit(
                    "membership", RowID(bits: 0x61), .create,
                    ["chapter": .id(Self.chapters[0]), "student": .id(Self.student), "state": "active"]),
            ], by: DataDirectory.server)
        let officer = try await accounts.addOfficer(
            name: "莫分部", unit: nil, role: "coordinator", target: Self.chapters[0])
        let (token, mentor) = try await server.enrolled("mentor", name: "温导师", replica: "00000000000000b2")
        _ = try await server.store.write(
            [
                TrustedEdit(
                    "liaison", RowID(bits: 0x71), .create,
                    ["student": .id(Self.student), "officer": .id(mentor), "kind": "mentor", "state": "active"])
            ], by: DataDirectory.server)
        return Cast(
            coordinator: try await self.token(of: officer, Self.author, server), officer: officer, mentor: token)
    }

    private func token(of officer: RowID, _ replica: String, _ server: RunningServer) async throws -> String {
        let (code, _) = try await server.application.accounts.makeCode(for: officer, madeBy: nil)
        return try #require(try await server.enrol(code.text, replica: replica).json["token"]?.text)
    }

    /// Types a number over the mask, as the only edit of the coordinator's device.
    private func typeOverMask(_ cast: Cast, _ server: RunningServer, number: Int64 = 1) async throws {
        let request = ExchangeRequest(
            catalogue: 1, replica: try #require(ReplicaID(Self.author)), incarnation: 1, epoch: nil,
            now: server.clock.now,
            mutations: [
                Mutation(
                    number: number, collection: "student", row: Self.student, action: .edit,
                    time: HybridTime(server.clock.now), changes: [.init("mobile", "+8619900000002")])
            ])
        let answer = try await server.send(.post, Path.sync, token: cast.coordinator, bytes: request.json)
        #expect(answer.status == 200)
        guard case .list(let verdicts) = answer.json["verdicts"] else {
            Issue.record("no verdicts")
            return
        }
        #expect(verdicts.map { $0["verdict"]?.text } == ["quarantined"])
    }

    private func quarantine(_ token: String, _ server: RunningServer) async throws -> [QuarantineList.Entry] {
        let answer = try await server.send(.get, Path.quarantine, token: token)
        #expect(answer.status == 200)
        return try #require(QuarantineList(json: answer.body)).entries
    }

    @Test func `a number typed over a mask is found by the registrar and by nobody who sees the mask or less`()
        async throws
    {
        try await RunningServer.with { server in
            let cast = try await cast(server)
            try await typeOverMask(cast, server)
            let registrar = try await server.enrolled("registrar", replica: "00000000000000b3").token
            let found = try await quarantine(registrar, server)
            #expect(found.map(\.fields) == [[Value.Member("mobile", "+8619900000002")]])
            let entry = try #require(found.first)
            #expect(entry.officer == cast.officer && entry.device == "办公室电脑")
            #expect(entry.collection == "student" && entry.row == Self.student)
            #expect(entry.action == .edit && entry.reason == "masked")
            #expect(entry.receivedAt == server.clock.now.value)

            let other = try await server.application.accounts.addOfficer(
                name: "吕分部", unit: nil, role: "coordinator", target: Self.chapters[1])
            let stranger = try await token(of: other, "00000000000000b4", server)
            for token in [cast.coordinator, cast.mentor, stranger] {
                #expect(try await quarantine(token, server).isEmpty)
            }
        }
    }

    @Test func `consent to share with mentors shows the value to the mentor as well`() async throws {
        try await RunningServer.with { server in
            let cast = try await cast(server)
            try await typeOverMask(cast, server)
            #expect(try await quarantine(cast.mentor, server).isEmpty)
            _ = try await server.store.write(
                [
                    TrustedEdit(
                        "consent", RowID(bits: 0x81), .create,
                        [
                            "student": .id(Self.student), "purpose": "mentor_share", "state": "granted",
                            "at": .integer(server.clock.now.value),
                        ])
                ], by: DataDirectory.server)
            #expect(
                try await quarantine(cast.mentor, server).map(\.fields)
                    == [[Value.Member("mobile", "+8619900000002")]])
            #expect(try await quarantine(cast.coordinator, server).isEmpty)
        }
    }

    @Test func `the list goes on below an entry, and needs a token and a number`() async throws {
        try await RunningServer.with { server in
            let cast = try await cast(server)
            for number in 1...2 as ClosedRange<Int64> { try await typeOverMask(cast, server, number: number) }
            let registrar = try await server.enrolled("registrar", replica: "00000000000000b3").token
            let all = try await quarantine(registrar, server)
            #expect(all.map(\.id) == [2, 1])
            let rest = try await server.send(.get, Path.quarantine + "?before=2", token: registrar)
            #expect(QuarantineList(json: rest.body)?.entries == [all[1]])
            let store = server.store
            let principal = try await store.principal(of: try await registrarOfficer(store))
            let page = try await store.quarantine(for: principal, limit: 1)
            #expect(page.edits.map(\.id) == [2] && page.more)
            #expect(try await server.send(.get, Path.quarantine).status == 401)
            #expect(try await server.send(.get, Path.quarantine + "?before=x", token: registrar).status == 400)
        }
    }

    private func registrarOfficer(_ store: ServerStore) async throws -> RowID {
        try #require(try await store.devices(of: nil).first { $0.device.replica == ReplicaID("00000000000000b3") })
            .device.officer
    }
}
