import Curl
import Foundation
import RoostAPI
import RoostSchema
import RoostServer
import RoostStore
import RoostSync
import Testing

/// Imports, digests and endpoints over HTTP.
struct OutreachRouteTests {
    private func decoded<Body: Decodable>(_ type: Body.Type, _ response: HTTPResponse) throws -> Body {
        try JSONDecoder().decode(type, from: Data(response.body))
    }

    private func post(
        _ server: RunningServer, _ path: String, token: String, _ body: some Encodable
    ) async throws -> HTTPResponse {
        try await server.send(
            .post, path, token: token, headers: [HTTPHeader("content-type", "application/json")],
            bytes: Array(try JSONEncoder().encode(body)))
    }

    @Test func `a sheet is rehearsed, imported, listed and undone once`() async throws {
        try await RunningServer.with { server in
            let token = try await server.enrolled().token
            let sheet = "姓名,手机,性别\n谭梓森,19900000001,男\n冯子晴,1990000,女\n"
            let name = [HTTPHeader(HeaderName.sheetName, "%E5%90%8D%E5%8D%95.csv")]
            let rehearsal = try await server.send(
                .post, Path.imports + "?template=roster&dry_run=true", token: token, headers: name, sheet)
            #expect(rehearsal.status == 200)
            #expect(try decoded(ImportReport.self, rehearsal).batch == nil)
            let answer = try await server.send(
                .post, Path.imports + "?template=roster", token: token, headers: name, sheet)
            #expect(answer.status == 201)
            let report = try decoded(ImportReport.self, answer)
            #expect(report.source == "名单.csv")
            #expect(report.counts == .init(read: 2, new: 2, updated: 0, unchanged: 0, suspect: 0, refused: 0))
            #expect(report.entries.flatMap(\.problems).map(\.code) == ["phone_short"])
            let errors = try #require(report.errorSheet.flatMap { Data(base64Encoded: $0) })
            #expect(String(decoding: errors, as: UTF8.self).contains("原因"))
            let batch = try #require(report.batch)
            let list = try decoded(ImportList.self, try await server.send(.get, Path.imports, token: token))
            #expect(list.imports.map(\.batch) == [batch])
            let undone = try await server.send(.post, Path.imports + "/\(batch)/undo", token: token)
            #expect(try decoded(ImportUndoReport.self, undone).deleted == 2)
            let again = try await server.send(.post, Path.imports + "/\(batch)/undo", token: token)
            #expect(again.status == 409)
            #expect(try decoded(ErrorBody.self, again).error.reason == "already_undone")
            #expect(!server.log.text.contains("谭梓森") && !server.log.text.contains("1990000"))
        }
    }

    @Test(arguments: [
        ("", 400, "unusable_sheet", "sheet_empty"), ("你好", 400, "unusable_sheet", "sheet_no_header"),
        ("PK\u{3}\u{4}zip", 415, "unsupported_sheet", "sheet_is_workbook"),
        ("姓名,性别,手机,手机号\n谭,男,1,2\n", 400, "unusable_sheet", "sheet_duplicate_columns"),
    ])
    func `a file that is no usable sheet gets its code`(
        sheet: String, status: Int, code: String, reason: String
    ) async throws {
        try await RunningServer.with { server in
            let token = try await server.enrolled().token
            let answer = try await server.send(.post, Path.imports + "?template=roster", token: token, sheet)
            #expect(answer.status == status)
            let error = try decoded(ErrorBody.self, answer).error
            #expect(error.code == code)
            #expect(error.reason == reason)
            #expect(error.messageZH?.isEmpty == false)
        }
    }

    @Test func `imports, digests and endpoints are for those whose role it is`() async throws {
        try await RunningServer.with { server in
            let mentor = try await server.enrolled("mentor").token
            #expect(try await server.send(.post, Path.imports, token: mentor, "姓名,手机,性别\n").status == 403)
            #expect(try await server.send(.get, Path.imports, token: mentor).status == 403)
            #expect(try await server.send(.get, Path.digests, token: mentor).status == 403)
            #expect(try await server.send(.get, Path.endpoints, token: mentor).status == 403)
            #expect(try await post(server, Path.digests, token: mentor, DigestDraft(title: "x")).status == 403)
            #expect(try await server.send(.get, Path.digests).status == 401)
            #expect(try await server.send(.get, Path.digests + "/nonsense", token: mentor).status == 404)
            let malformed = try await server.send(.post, Path.digests, token: mentor, #"{"title":7}"#)
            #expect(malformed.status == 400)
            #expect(try decoded(ErrorBody.self, malformed).error.code == "malformed_request")
            let query = try await server.send(.post, Path.imports + "?dry_run=maybe", token: mentor, "x")
            #expect(query.status == 400)
        }
    }

    @Test(.timeLimit(.minutes(4)))
    func `a digest leaves the server under one id with a valid signature`() async throws {
        let receiver = try LoopbackReceiver()
        try await RunningServer.with([.courierTestBase: "http://127.0.0.1:9"]) { server in
            let admin = try await server.enrolled("admin", name: "温管理", replica: "00000000000000b1").token
            let author = try await server.enrolled("registrar", name: "梁登记", replica: "00000000000000b2").token
            let approver = try await server.enrolled("approver", name: "吕审批", replica: "00000000000000b3").token
            let added = try await post(
                server, Path.endpoints, token: admin,
                EndpointDraft(
                    name: "合作方", channel: "generic", address: "http://127.0.0.1:\(receiver.port)/hook"))
            #expect(added.status == 201)
            let endpoint = try decoded(EndpointAdded.self, added).endpoint.id
            #expect(try await server.send(.post, Path.endpoints + "/\(endpoint)/test", token: admin).status == 200)
            #expect(await receiver.next().map { String(decoding: $0.body, as: UTF8.self).contains("测试消息") } == true)
            let path = Path.endpoints + "/\(endpoint)/log"
            let log = try decoded(EndpointLog.self, try await server.send(.get, path, token: admin))
            #expect(log.endpoint.name == "合作方")
            #expect(log.attempts.map(\.outcome) == ["sent"] && log.attempts.map(\.delivery) == [nil])
            #expect(log.attempts.first?.status == 200 && log.attempts.first?.address?.hasPrefix("127.0.0.1") == true)
            let unknown = try await server.send(
                .get, Path.endpoints + "/\(RowID(bits: 9).description)/log", token: admin)
            #expect(unknown.status == 404)
            let policy = RowID(bits: 0xB1)
            _ = try await server.store.write(
                [.init("policy", policy, .create, ["code": "T-1", "title": "人才公寓申请办法"])], by: policy)
            let composed = try await post(
                server, Path.digests, token: author,
                DigestDraft(
                    title: "九月", items: [.init(collection: "policy", id: policy.description)],
                    channels: ["generic"]))
            #expect(composed.status == 201)
            var digest = try decoded(DigestReport.self, composed).digest
            for (step, token) in [("submit", author), ("approve", approver), ("send", author)] {
                let preview = try decoded(
                    DigestPreview.self,
                    try await server.send(.get, Path.digests + "/\(digest.id)/preview", token: token))
                let answer = try await post(
                    server, Path.digests + "/\(digest.id)/\(step)", token: token,
                    DigestStepRequest(version: digest.version, preview: preview.mark, students: 0))
                #expect(answer.status == 200, "\(step)")
                digest = try decoded(DigestReport.self, answer).digest
            }
            let received = try #require(await receiver.next())
            #expect(received.header("webhook-id")?.hasPrefix("msg_") == true)
            #expect(received.header("webhook-signature")?.hasPrefix("v1,") == true)
            #expect(String(decoding: received.body, as: UTF8.self).contains("人才公寓申请办法"))
            #expect(server.log.text.contains("COURIER TEST SETTINGS ARE ON"))
        }
    }
}
