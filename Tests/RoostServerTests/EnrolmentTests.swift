import Curl
import RoostModel
import RoostSchema
import RoostServer
import RoostStore
import RoostSync
import Testing

@Suite struct EnrolmentTests {
    @Test func `a code becomes a token that syncs`() async throws {
        try await RunningServer.with { server in
            let accounts = server.application.accounts
            let officer = try await accounts.addOfficer(name: "梁登记", unit: nil, role: "registrar", target: nil)
            let (code, _) = try await accounts.makeCode(for: officer, madeBy: nil)
            let answer = try await server.enrol(code.text)
            #expect(answer.status == 201)
            #expect(answer.json["officer"] == .text(officer.description))
            #expect(answer.json["name"] == "梁登记")
            #expect(answer.json["roles"] == .list(["registrar"]))
            let token = try #require(answer.json["token"]?.text)
            let exchange = try await server.idleExchange(token: token)
            #expect(exchange.status == 200)
            #expect(exchange.json["epoch"] == .text(server.store.epoch))
        }
    }

    @Test func `case, spaces and dashes of a code do not matter`() async throws {
        try await RunningServer.with { server in
            let accounts = server.application.accounts
            let officer = try await accounts.addOfficer(name: "甲", unit: nil, role: "registrar", target: nil)
            let (code, _) = try await accounts.makeCode(for: officer, madeBy: nil)
            let letters = code.text.lowercased().filter { $0 != "-" }
            let typed = " " + letters.prefix(3) + " - " + letters.dropFirst(3)
            #expect(try await server.enrol(typed).status == 201)
        }
    }

    @Test func `codes hold no character that is mistaken for another`() {
        for _ in 0..<200 {
            let code = EnrolmentCode().text
            #expect(code.count == 9 && code[code.index(code.startIndex, offsetBy: 4)] == "-")
            #expect(!code.contains { "01OIL".contains($0) })
            #expect(EnrolmentCode(code)?.text == code)
        }
    }

    @Test func `a code is good once`() async throws {
        try await RunningServer.with { server in
            let accounts = server.application.accounts
            let officer = try await accounts.addOfficer(name: "甲", unit: nil, role: "registrar", target: nil)
            let (code, _) = try await accounts.makeCode(for: officer, madeBy: nil)
            #expect(try await server.enrol(code.text).status == 201)
            let again = try await server.enrol(code.text, replica: "00000000000000a2")
            #expect(again.status == 401 && again.errorCode == "code_invalid")
        }
    }

    @Test func `a code ends after ten minutes`() async throws {
        try await RunningServer.with { server in
            let accounts = server.application.accounts
            let officer = try await accounts.addOfficer(name: "甲", unit: nil, role: "registrar", target: nil)
            let (early, _) = try await accounts.makeCode(for: officer, madeBy: nil)
            let (late, _) = try await accounts.makeCode(for: officer, madeBy: nil)
            server.clock.advance(seconds: 599)
            #expect(try await server.enrol(early.text).status == 201)
            server.clock.advance(seconds: 1)
            #expect(try await server.enrol(late.text, replica: "00000000000000a2").errorCode == "code_invalid")
        }
    }

    @Test func `an unknown code and a misspelt one are answered alike`() async throws {
        try await RunningServer.with { server in
            let unknown = try await server.enrol("2222-2222")
            let misspelt = try await server.enrol("O0I1")
            #expect(unknown.status == 401 && misspelt.status == 401)
            #expect(unknown.json["error"]?["message"] == misspelt.json["error"]?["message"])
        }
    }

    @Test func `of many devices with one code, one gets in`() async throws {
        try await RunningServer.with([.enrolmentAttempts: "100"]) { server in
            let accounts = server.application.accounts
            let officer = try await accounts.addOfficer(name: "甲", unit: nil, role: "registrar", target: nil)
            let (code, _) = try await accounts.makeCode(for: officer, madeBy: nil)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 1...8 {
                    group.addTask {
                        try await server.enrol(code.text, replica: "000000000000000\(number)").status
                    }
                }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
            #expect(statuses.filter { $0 == 201 }.count == 1)
            #expect(statuses.filter { $0 == 401 }.count == 7)
        }
    }

    @Test func `attempts are limited by address`() async throws {
        try await RunningServer.with([.enrolmentAttempts: "3", .perAddress: "1000"]) { server in
            for _ in 0..<3 { #expect(try await server.enrol("2222-2222").errorCode == "code_invalid") }
            let limited = try await server.enrol("3333-3333")
            #expect(limited.status == 429 && limited.errorCode == "rate_limited")
            let seconds = try #require(limited.header("Retry-After").flatMap { Int($0) })
            #expect((1...60).contains(seconds))
            server.clock.advance(seconds: 120)
            #expect(try await server.enrol("2222-2222").errorCode == "code_invalid")
        }
    }

    @Test func `a revoked device may still say that it is wiped, and nothing else`() async throws {
        try await RunningServer.with { server in
            let (token, _) = try await server.enrolled()
            #expect(try await server.idleExchange(token: token).status == 200)
            let path = "/v1/devices/00000000000000a1/purged"
            #expect(try await server.send(.post, path, token: token).errorCode == "conflict")
            let replica = try #require(ReplicaID("00000000000000a1"))
            try await server.store.revoke(replica)
            #expect(try await server.idleExchange(token: token).errorCode == "device_revoked")
            #expect(try await server.store.devices().first?.unconfirmed.isEmpty == false)
            let other = try await server.send(.post, "/v1/devices/00000000000000a2/purged", token: token)
            #expect(other.errorCode == "forbidden")
            #expect(try await server.send(.post, path, token: "nobody").errorCode == "unauthorized")
            #expect(try await server.send(.post, path, token: token).status == 200)
            let record = try #require(try await server.store.devices().first)
            #expect(record.unconfirmed.isEmpty && record.purged == server.clock.now)
            #expect(try await server.idleExchange(token: token).errorCode == "device_revoked")
        }
    }

    @Test func `a replica of somebody else or of the server cannot be taken`() async throws {
        try await RunningServer.with { server in
            _ = try await server.enrolled(replica: "00000000000000a1")
            let accounts = server.application.accounts
            let other = try await accounts.addOfficer(name: "乙", unit: nil, role: "registrar", target: nil)
            for replica in ["00000000000000a1", server.store.writer.description, server.store.undoer.description] {
                let (code, _) = try await accounts.makeCode(for: other, madeBy: nil)
                let answer = try await server.enrol(code.text, replica: replica)
                #expect(answer.status == 409 && answer.errorCode == "conflict")
                // The refusal did not use the code up.
                #expect(try await server.enrol(code.text, replica: "00000000000000a2").status == 201)
            }
        }
    }

    @Test func `enrolling a device again ends its former token`() async throws {
        try await RunningServer.with { server in
            let (former, officer) = try await server.enrolled()
            let (code, _) = try await server.application.accounts.makeCode(for: officer, madeBy: nil)
            let token = try #require(try await server.enrol(code.text).json["token"]?.text)
            #expect(try await server.idleExchange(token: former).status == 401)
            #expect(try await server.idleExchange(token: token).status == 200)
        }
    }

    @Test func `a revoked device is told so and gets nothing`() async throws {
        try await RunningServer.with { server in
            let (token, _) = try await server.enrolled()
            let revoked = try await server.send(.post, "/v1/devices/00000000000000a1/revoke", token: token)
            #expect(revoked.status == 200)
            let answer = try await server.idleExchange(token: token)
            #expect(answer.status == 403 && answer.errorCode == "device_revoked")
            #expect(answer.json["scopes"] == nil)
        }
    }

    @Test func `a device that only pulls is seen too, and noted every five minutes at most`() async throws {
        try await RunningServer.with { server in
            let (token, officer) = try await server.enrolled()
            func seen() async throws -> Milliseconds? { try await server.store.devices(of: officer).first?.seen }
            #expect(try await seen() == nil)
            let opening = try await server.idleExchange(token: token)
            #expect(opening.status == 200)
            let first = server.clock.now
            #expect(try await seen() == first)
            server.clock.advance(seconds: 299)
            #expect(try await server.idleExchange(token: token, after: opening).status == 200)
            #expect(try await seen() == first)
            server.clock.advance(seconds: 1)
            #expect(try await server.idleExchange(token: token, after: opening).status == 200)
            #expect(try await seen() == server.clock.now)
        }
    }

    @Test func `one sees and ends one's own devices only, unless one manages accounts`() async throws {
        try await RunningServer.with { server in
            let (mine, _) = try await server.enrolled("registrar", name: "甲", replica: "00000000000000a1")
            let (theirs, _) = try await server.enrolled("registrar", name: "乙", replica: "00000000000000a2")
            let (admin, _) = try await server.enrolled("admin", name: "管", replica: "00000000000000a3")
            let own = try await server.send(.get, "/v1/devices", token: mine).json["devices"]?.list ?? []
            #expect(own.map { $0["replica"]?.text } == ["00000000000000a1"])
            let all = try await server.send(.get, "/v1/devices", token: admin).json["devices"]?.list ?? []
            #expect(Set(all.map { $0["replica"]?.text }).count == 3)
            let refused = try await server.send(.post, "/v1/devices/00000000000000a2/revoke", token: mine)
            #expect(refused.status == 404)
            #expect(try await server.idleExchange(token: theirs, replica: "00000000000000a2").status == 200)
            #expect(try await server.send(.post, "/v1/devices/00000000000000a2/revoke", token: admin).status == 200)
            #expect(try await server.idleExchange(token: theirs, replica: "00000000000000a2").status == 403)
        }
    }

    @Test func `making a code over HTTP takes the right to manage accounts`() async throws {
        try await RunningServer.with { server in
            let (admin, _) = try await server.enrolled("admin", name: "管", replica: "00000000000000a1")
            let (registrar, officer) = try await server.enrolled("registrar", name: "登", replica: "00000000000000a2")
            let body = #"{"officer":"\#(officer)"}"#
            let refused = try await server.send(.post, "/v1/enrolment-codes", token: registrar, body)
            #expect(refused.status == 403 && refused.errorCode == "forbidden")
            let made = try await server.send(.post, "/v1/enrolment-codes", token: admin, body)
            #expect(made.status == 201)
            #expect(made.json["expires_at"] == .integer(server.clock.now.value + 600_000))
            let code = try #require(made.json["code"]?.text)
            #expect(try await server.enrol(code, replica: "00000000000000a3").status == 201)
            let nobody = #"{"officer":"\#(RowID(bits: 77))"}"#
            #expect(try await server.send(.post, "/v1/enrolment-codes", token: admin, nobody).status == 404)
        }
    }

    @Test func `neither code nor token is in the database`() async throws {
        try await RunningServer.with { server in
            let officer = try await server.application.accounts.addOfficer(
                name: "甲", unit: nil, role: "registrar", target: nil)
            let (code, _) = try await server.application.accounts.makeCode(for: officer, madeBy: nil)
            let token = try #require(try await server.enrol(code.text).json["token"]?.text)
            try server.store.checkpoint()
            let file = try FileBytes(server.directory.path + "/" + ServerStore.fileName)
            #expect(file.contains("办公室电脑"))
            for secret in [code.text, code.text.filter { $0 != "-" }, token, String(token.dropFirst(6))] {
                #expect(!file.contains(secret))
            }
        }
    }
}
