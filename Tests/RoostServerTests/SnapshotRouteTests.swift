import Curl
import Foundation
import RoostSchema
import RoostServer
import RoostStore
import RoostSync
import Testing
import Zlib

@Suite struct `Large answers over HTTP` {
    private func addStudents(_ server: RunningServer, _ count: Int) async throws {
        _ = try await server.store.write(
            (0..<count).map {
                TrustedEdit("student", RowID(naming: "test", "student \($0)"), .create, ["name": .text("学生\($0)")])
            }, by: DataDirectory.server)
    }

    private func exchange(
        _ server: RunningServer, _ token: String, headers: [HTTPHeader] = [], snapshots: Bool = false
    ) async throws -> HTTPResponse {
        try await server.send(
            .post, "/v1/sync", token: token, headers: headers,
            #"{"protocol":1,"replica":"00000000000000a1","now":\#(server.clock.now.value),"snapshots":\#(snapshots)}"#)
    }

    /// Asks until the snapshot is made, as a client does; the making takes milliseconds.
    private func offer(_ server: RunningServer, _ token: String) async throws -> SnapshotOffer {
        for _ in 0..<2000 {
            let answer = try ExchangeAnswer(json: try await exchange(server, token, snapshots: true).body)
            if let offer = answer.scopes.compactMap(\.snapshot).first { return offer }
            await Task.yield()
        }
        throw CancellationError()
    }

    @Test func `an answer is compressed for whoever takes that, and is the same`() async throws {
        try await RunningServer.with { server in
            try await addStudents(server, 50)
            let (token, _) = try await server.enrolled()
            let plain = try await exchange(server, token)
            #expect(plain.header("Content-Encoding") == nil)
            let gzipped = try await exchange(server, token, headers: [HTTPHeader("Accept-Encoding", "br, gzip;q=0.5")])
            #expect(gzipped.header("Content-Encoding") == "gzip" && gzipped.body.count * 4 < plain.body.count)
            #expect(try gunzip(gzipped.body, limit: 1 << 20) == plain.body)
            for refusing in ["identity", "gzip;q=0", "deflate"] {
                let answer = try await exchange(server, token, headers: [HTTPHeader("Accept-Encoding", refusing)])
                #expect(answer.header("Content-Encoding") == nil && answer.body == plain.body)
            }
            let idle = try await server.send(.get, "/v1/limits", headers: [HTTPHeader("Accept-Encoding", "gzip")])
            #expect(idle.header("Content-Encoding") == nil)
        }
    }

    @Test func `a snapshot is fetched whole or in parts, by those who hold its scope and by nobody else`() async throws
    {
        try await RunningServer.with([.snapshotRows: "40", .perDevice: "100000"]) { server in
            try await addStudents(server, 50)
            let (token, _) = try await server.enrolled()
            let offer = try await offer(server, token)
            let path = "/v1/snapshots/\(offer.id)"
            let whole = try await server.send(.get, path, token: token)
            #expect(whole.status == 200 && whole.body.count == offer.bytes)
            #expect(whole.header("ETag") == "\"\(offer.id)\"" && whole.header("Content-Encoding") == nil)
            #expect(whole.header("Cache-Control") == "no-store")
            #expect(try gunzip(whole.body, limit: offer.size).split(separator: 0x0A).count == offer.rows)

            func part(_ range: String, ifRange: String? = nil) async throws -> HTTPResponse {
                var headers = [HTTPHeader("Range", range)]
                if let ifRange { headers.append(HTTPHeader("If-Range", ifRange)) }
                return try await server.send(.get, path, token: token, headers: headers)
            }
            let first = try await part("bytes=0-99", ifRange: "\"\(offer.id)\"")
            #expect(first.status == 206 && first.header("Content-Range") == "bytes 0-99/\(offer.bytes)")
            let rest = try await part("bytes=100-")
            #expect(first.body + rest.body == whole.body)
            #expect(try await part("bytes=-10").body == whole.body.suffix(10))
            #expect(try await part("bytes=0-99", ifRange: "\"other\"").status == 200)
            for ignored in ["bytes=5-4", "bytes=a-b", "rows=0-1", "bytes=0-1,5-6", "bytes=99999999-", "bytes=-"] {
                #expect(try await part(ignored).status == 200)
            }

            #expect(try await server.send(.get, path).status == 401)
            let (other, _) = try await server.enrolled("liaison", name: "联络员", replica: "00000000000000a2")
            let refused = try await server.send(.get, path, token: other)
            #expect(refused.status == 404 && refused.errorCode == "not_found")
            #expect(try await server.send(.get, "/v1/snapshots/..%2Fserver.sqlite", token: token).status == 404)
            let file = server.directory.path + "/snapshots/" + offer.id
            #expect(FileManager.default.fileExists(atPath: file))
        }
    }
}
