package import Curl
package import RoostAPI
package import RoostSync
import Foundation
import RoostSchema

/// The server as a client sees it; tests put another in its place.
package protocol ExchangeServer: Sendable {
    func limits() async throws(ClientError) -> Limits
    func exchange(_ request: ExchangeRequest) async throws(ClientError) -> ExchangeAnswer
    /// Bytes of a snapshot's file from a position on, at least one and at most `count`.
    func snapshot(_ id: String, from position: Int, count: Int) async throws(ClientError) -> [UInt8]
    /// Tells the server that this revoked device has wiped what it had.
    func confirmRevoked(_ replica: ReplicaID) async throws(ClientError)
}

extension ExchangeServer {
    /// A server that offers no snapshots is not asked for one.
    package func snapshot(_ id: String, from position: Int, count: Int) async throws(ClientError) -> [UInt8] {
        throw .badAnswer
    }

    /// A server that takes no such word lists the device for ever.
    package func confirmRevoked(_ replica: ReplicaID) async throws(ClientError) { throw .badAnswer }
}

/// Talks to a Roost server over HTTP, with a few retries for what passes by itself.
package struct ServerConnection: ExchangeServer {
    /// Without a slash at the end.
    package let base: String
    private let token: String?
    private let client: HTTPClient
    private let environment: Environment
    private let caFile: String?

    /// How often a request is sent before giving up.
    private static let attempts = 4
    /// The longest wait before an attempt, whatever the server asks for.
    private static let longestWait = 20.0
    /// An answer holds at most one page of rows and the verdicts of one changeset; this is far beyond both.
    private static let largestAnswer = 256 << 20
    /// By how many bytes an exchange may grow between its writing and its leaving.
    private static let roomForReading = 4

    /// - Throws: ``ClientError/invalidServer``.
    package init(
        base: String, token: String?, client: HTTPClient, environment: Environment, caFile: String? = nil
    ) throws(ClientError) {
        var trimmed = base
        while trimmed.hasSuffix("/") { trimmed.removeLast() }
        let lower = trimmed.lowercased()
        guard lower.hasPrefix("https://") || lower.hasPrefix("http://"), !trimmed.contains("@"),
            !trimmed.contains("?"), !trimmed.contains("#"), trimmed.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { throw .invalidServer }
        self.base = trimmed
        self.token = token
        self.client = client
        self.environment = environment
        self.caFile = caFile
    }

    package func limits() async throws(ClientError) -> Limits {
        try decode(Limits.self, try await send(.get, Path.limits))
    }

    /// The clock is read as the request leaves: to connect, and to wait after an attempt that failed, may take far longer than a
    /// clock may be wrong before anybody is told of it.
    package func exchange(_ request: ExchangeRequest) async throws(ClientError) -> ExchangeAnswer {
        // A later reading may have a digit more.
        let json = request.json + [UInt8](repeating: 0x20, count: Self.roomForReading)
        let dated = { @Sendable [environment] in
            var dated = request
            (dated.now, dated.mark) = (environment.now(), environment.mark())
            let body = dated.json
            return body + [UInt8](repeating: 0x20, count: max(0, json.count - body.count))
        }
        let response = try await answer(
            .post, Path.sync, json: json, departing: dated,
            isDivisible: UploadPortion.divides(request, of: json.count))
        do throws(WireProblem) {
            return try ExchangeAnswer(json: response.body)
        } catch {
            throw .badAnswer
        }
    }

    package func snapshot(_ id: String, from position: Int, count: Int) async throws(ClientError) -> [UInt8] {
        let response = try await answer(
            .get, Path.snapshots + "/" + id,
            headers: [
                HTTPHeader("range", "bytes=\(position)-\(position + count - 1)"), HTTPHeader("if-range", "\"\(id)\""),
            ])
        if response.status == 206 { return response.body }
        // The whole file, from somebody on the way who knows no ranges.
        guard response.body.count > position else { throw .badAnswer }
        return Array(response.body[position...].prefix(count))
    }

    package func confirmRevoked(_ replica: ReplicaID) async throws(ClientError) {
        _ = try await send(.post, Path.devices + "/\(replica)/purged")
    }

    /// Trades a one-time code for a token; not repeated, because the code works once.
    package func enrol(_ request: EnrolmentRequest) async throws(ClientError) -> EnrolmentAnswer {
        try decode(
            EnrolmentAnswer.self,
            try await send(.post, Path.enrol, json: try encode(request), attempts: 1))
    }

    /// Sends any request of the API and returns the body of its answer.
    ///
    /// The path may have a query, percent-encoded; `attempts` is 1 for what must not happen twice.
    package func send(
        _ method: HTTPMethod, _ path: String, headers: [HTTPHeader] = [], json: [UInt8]? = nil,
        body: [UInt8] = [], attempts: Int = attempts, within limit: Duration = .seconds(120)
    ) async throws(ClientError) -> [UInt8] {
        try await answer(method, path, headers: headers, json: json, body: body, attempts: attempts, within: limit).body
    }

    /// Sends a request until it is answered, a few times.
    ///
    /// One that its sender can divide is not sent again where less of it might have arrived.
    private func answer(
        _ method: HTTPMethod, _ path: String, headers: [HTTPHeader] = [], json: [UInt8]? = nil,
        body: [UInt8] = [], departing: (@Sendable () -> [UInt8])? = nil, attempts: Int = attempts,
        within limit: Duration = .seconds(120), isDivisible: Bool = false
    ) async throws(ClientError) -> HTTPResponse {
        let type = json == nil ? [] : [HTTPHeader("content-type", "application/json")]
        var request = request(method, path, headers: headers + type, body: json ?? body, within: limit)
        request.departingBody = departing
        var attempt = 1
        while true {
            let failure: ClientError
            var wait = Double(1 << min(attempt - 1, 5)) * 0.5
            switch await outcome(of: request) {
            case .success(let response):
                if (200..<300).contains(response.status) { return response }
                failure = .refused(Self.refusal(in: response))
                guard response.status >= 500 || response.status == 429 || response.status == 408 else { throw failure }
                if let told = response.header("retry-after").flatMap({ Double($0) }) { wait = max(wait, told) }
            case .failure(let error):
                // That nobody answered in time a request that was never sent says nothing of its size.
                let reason = error.reason == .timedOut && error.surelyNotSent ? .unreachable : error.reason
                failure = .unreachable(reason: reason.rawValue)
                guard Self.passes(reason) else { throw failure }
            }
            if isDivisible, UploadPortion.isMeant(by: failure) { throw failure }
            guard attempt < attempts else { throw failure }
            attempt += 1
            // Up to a quarter more, so that devices that failed together do not return together.
            let jitter = 1 + Double(environment.random() % 1000) / 4000
            do {
                try await environment.sleep(.milliseconds(Int(min(wait, Self.longestWait) * jitter * 1000)))
            } catch {
                throw failure
            }
        }
    }

    /// Sends a request for an answer without an end, once.
    func pieces(_ method: HTTPMethod, _ path: String) -> AsyncThrowingStream<HTTPPiece, any Error> {
        // libcurl's longest time, some 24 days.
        client.pieces(of: request(method, path, headers: [], body: [], within: .seconds(1 << 21)))
    }

    private func request(
        _ method: HTTPMethod, _ path: String, headers: [HTTPHeader], body: [UInt8], within limit: Duration
    ) -> HTTPRequest {
        var options = TransferOptions()
        options.connectTimeout = .seconds(10)
        options.totalTimeout = limit
        options.responseLimit = Self.largestAnswer
        options.allowedSchemes = [.http, .https]
        options.addressPolicy = .anyAddress
        options.acceptCompressed = true
        options.caFile = caFile
        let authorization = token.map { [HTTPHeader("authorization", "Bearer " + $0)] } ?? []
        return HTTPRequest(
            method: method, url: base + path, headers: headers + authorization, body: body, options: options)
    }

    private func outcome(of request: HTTPRequest) async -> Result<HTTPResponse, CurlError> {
        do throws(CurlError) {
            return .success(try await client.send(request))
        } catch {
            return .failure(error)
        }
    }

    /// Whether the same request may do better a moment later.
    private static func passes(_ reason: CurlError.Reason) -> Bool {
        switch reason {
        case .unreachable, .timedOut, .interrupted, .unresolved, .proxy: true
        case .invalidURL, .invalidHeader, .policyBehindProxy, .unsupportedProtocol, .forbiddenPort, .blocked, .tls,
            .certificate,
            .badResponse, .refused, .senderRefused, .unwelcome, .loginRefused, .tooLarge, .cancelled, .closed, .failed:
            false
        }
    }

    static func refusal(in response: HTTPResponse) -> ClientError.ServerRefusal {
        guard let detail = (try? JSONDecoder().decode(ErrorBody.self, from: Data(response.body)))?.error else {
            return ClientError.ServerRefusal(
                status: response.status, code: nil,
                message: Label("服务器回答 HTTP \(response.status)。", "The server answered HTTP \(response.status)."),
                reason: nil, requestID: nil)
        }
        return ClientError.ServerRefusal(
            status: response.status, code: APIErrorCode(rawValue: detail.code),
            message: Label(detail.messageZH ?? detail.message, detail.message), reason: detail.reason,
            requestID: detail.requestID)
    }

    func decode<Body: Decodable>(_ type: Body.Type, _ bytes: [UInt8]) throws(ClientError) -> Body {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw .badAnswer
        }
    }

    func encode(_ body: some Encodable) throws(ClientError) -> [UInt8] {
        do {
            return [UInt8](try JSONEncoder().encode(body))
        } catch {
            throw .badAnswer
        }
    }
}
