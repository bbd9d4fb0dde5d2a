import Curl
import Glibc
import Testing

import class Foundation.FileHandle
import class Foundation.FileManager
import class Foundation.Pipe
import struct Foundation.Data
import struct Foundation.URL
import struct Foundation.UUID

/// Which certificates are trusted, against an HTTPS server run by Python's standard library.
@Suite struct CertificateTests {
    let client = HTTPClient()
    // Here it outlives each of a test's requests; a variable of the test would be released with its last use.
    private let server: TLSServer

    init() throws { server = try TLSServer() }

    private func outcome(
        _ url: String, trusting caFile: String?, authorities: String? = nil
    ) async -> Result<Int, CurlError> {
        let options = TransferOptions(
            connectTimeout: .seconds(60), totalTimeout: .seconds(120), addressPolicy: .anyAddress, caFile: caFile,
            authorities: authorities)
        do throws(CurlError) {
            let request = HTTPRequest(method: .post, url: url, body: [1], options: options)
            return .success(try await client.send(request).status)
        } catch {
            return .failure(error)
        }
    }

    @Test func `a certificate is accepted from a trusted authority only, and for its own host only`() async throws {
        let own = "https://127.0.0.1:\(server.port)/"
        #expect(try await outcome(own, trusting: server.certificateFile).get() == 200)

        let strangers = [
            await outcome(own, trusting: nil),
            await outcome("https://localhost:\(server.port)/", trusting: server.certificateFile),
        ]
        for stranger in strangers {
            let error = #expect(throws: CurlError.self) { try stranger.get() }
            #expect(error?.reason == .certificate)
            #expect(error?.surelyNotSent == true)
        }
    }

    @Test func `an authority of an endpoint's own counts for that endpoint alone`() async throws {
        let own = "https://127.0.0.1:\(server.port)/"
        let authority = try String(contentsOfFile: server.certificateFile, encoding: .utf8)
        #expect(try await outcome(own, trusting: nil, authorities: authority).get() == 200)
        // The connection that was just kept is not taken for another endpoint's.
        let result = await outcome(own, trusting: nil)
        let stranger = #expect(throws: CurlError.self) { try result.get() }
        #expect(stranger?.reason == .certificate)
        let other = await outcome("https://localhost:\(server.port)/", trusting: nil, authorities: authority)
        let misnamed = #expect(throws: CurlError.self) { try other.get() }
        #expect(misnamed?.reason == .certificate)
    }

    @Test func `a file of authorities that does not exist fails before anything is sent`() async throws {
        let missing = server.certificateFile + ".missing"
        let result = await outcome("https://127.0.0.1:\(server.port)/", trusting: missing)
        let error = #expect(throws: CurlError.self) { try result.get() }
        #expect(error?.reason == .tls)
        #expect(error?.surelyNotSent == true)
    }
}

/// An HTTPS server for `roost.test` and 127.0.0.1 that ends with this process, or when it is released.
private final class TLSServer {
    struct Failure: Error { let call: String }

    let port: Int
    let certificateFile: String
    private let process: pid_t
    /// Its input, with which it ends however this process does, and its output, which it may not find closed.
    private let pipes = (input: Pipe(), output: Pipe())

    init() throws {
        let name = "roost-\(UUID().uuidString).pem"
        certificateFile = FileManager.default.temporaryDirectory.appending(path: name).path
        try Data(Self.certificateAndKey.utf8).write(to: URL(filePath: certificateFile))
        process = try Self.start(
            ["python3", "-c", Self.script, certificateFile], input: pipes.input.fileHandleForReading.fileDescriptor,
            output: pipes.output.fileHandleForWriting.fileDescriptor)
        try pipes.output.fileHandleForWriting.close()
        var line = Data()
        while line.last != UInt8(ascii: "\n") {
            let piece = pipes.output.fileHandleForReading.availableData
            guard !piece.isEmpty else { break }
            line += piece
        }
        let text = String(decoding: line.dropLast(), as: UTF8.self)
        port = try #require(Int(text), "python3 did not start the TLS server")
    }

    deinit {
        // A program that another test started meanwhile may hold the pipe open.
        kill(process, SIGKILL)
        while waitpid(process, nil, 0) < 0, errno == EINTR {}
        try? FileManager.default.removeItem(atPath: certificateFile)
    }

    /// Not by Foundation's `Process`: beside tests that hold more than a thousand descriptors, its reading of their list
    /// runs over the end of it (Swift 6.3).
    private static func start(_ arguments: [String], input: Int32, output: Int32) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, input, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
        let words = unsafe arguments.map { unsafe strdup($0) } + [nil]
        defer { unsafe words.forEach { unsafe free($0) } }
        var process: pid_t = 0
        guard unsafe posix_spawnp(&process, arguments[0], &actions, nil, words, environ) == 0 else {
            throw Failure(call: "posix_spawnp")
        }
        return process
    }

    private static let script = """
        import http.server, os, ssl, sys, threading

        # What other tests have open is to end when they close it.
        os.closerange(3, 65536)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()
            def log_message(self, *arguments):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.handle_error = lambda *arguments: None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1])
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_port, flush=True)
        sys.stdin.read()
        os._exit(0)
        """

    /// Made for this test alone; valid from 2020 to 2120.
    private static let certificateAndKey = """
        -----BEGIN CERTIFICATE-----
        MIIBaTCCARCgAwIBAgIBATAKBggqhkjOPQQDAjAVMRMwEQYDVQQDDApyb29zdC50
        ZXN0MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAVMRMwEQYDVQQD
        DApyb29zdC50ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE1os7md7cCfIW
        8alwgvVOgWsbK2HiSp7pRT3IxP7Gewp2WmQLFqlRdrHQOxVXqVcqlgMa/RTbr6sb
        fkYsUY7MDqNPME0wDwYDVR0TAQH/BAUwAwEB/zAbBgNVHREEFDASggpyb29zdC50
        ZXN0hwR/AAABMB0GA1UdDgQWBBRzhx8UZh2T5kzHps/wxb9QlrafOTAKBggqhkjO
        PQQDAgNHADBEAiBbH8FKbXVjbqNZr9NgIuP9KIaAteBi608EpdqrRDshYwIgf7Yp
        PlwMoM1zCw22NRDv1E+YJ4qLNepCzMcsFtSzRoY=
        -----END CERTIFICATE-----
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgHV5S+fXRMoViICRM
        0SHghlo4LPWcrXCeModuVUNX7jehRANCAATWizuZ3twJ8hbxqXCC9U6BaxsrYeJK
        nulFPcjE/sZ7CnZaZAsWqVF2sdA7FVepVyqWAxr9FNuvqxt+RixRjswO
        -----END PRIVATE KEY-----
        """
}
