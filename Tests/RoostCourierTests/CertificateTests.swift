import Curl
import Testing

import class Foundation.FileHandle
import class Foundation.FileManager
import class Foundation.Pipe
import class Foundation.Process
import struct Foundation.Data
import struct Foundation.URL
import struct Foundation.UUID

/// Which certificates are trusted, against an HTTPS server run by Python's standard library.
@Suite struct CertificateTests {
    let client = HTTPClient()

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
        let server = try TLSServer()
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
        let server = try TLSServer()
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
        let server = try TLSServer()
        let missing = server.certificateFile + ".missing"
        let result = await outcome("https://127.0.0.1:\(server.port)/", trusting: missing)
        let error = #expect(throws: CurlError.self) { try result.get() }
        #expect(error?.reason == .tls)
        #expect(error?.surelyNotSent == true)
    }
}

/// An HTTPS server for `roost.test` and 127.0.0.1 that ends with this process, or when it is released.
private final class TLSServer {
    let port: Int
    let certificateFile: String
    private let process = Process()
    private let input = Pipe()

    init() throws {
        let name = "roost-\(UUID().uuidString).pem"
        certificateFile = FileManager.default.temporaryDirectory.appending(path: name).path
        try Data(Self.certificateAndKey.utf8).write(to: URL(filePath: certificateFile))
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c", Self.script, certificateFile]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        port = try #require(Int(line.split(separator: "\n").first ?? ""), "python3 did not start the TLS server")
    }

    deinit {
        // It would end with its input too, but a program another test started meanwhile may hold the pipe open, and
        // waiting here would keep a thread from all tests.
        process.terminate()
        try? FileManager.default.removeItem(atPath: certificateFile)
    }

    private static let script = """
        import http.server, os, ssl, sys, threading

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
