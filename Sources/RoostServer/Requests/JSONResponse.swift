package import HTTPTypes
package import Hummingbird
import NIOCore
import RoostAPI
package import RoostSync
import Zlib

extension Response {
    /// An answer in JSON; nothing the server says may be kept by a cache on the way.
    package init(json: [UInt8], status: HTTPResponse.Status = .ok) {
        self.init(
            status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: json)))
    }

    /// An answer in JSON, compressed if the request takes that and it is large enough to gain by it.
    init(json: [UInt8], to request: Request) {
        // What fits a packet travels no faster for being smaller.
        guard json.count > 1400, request.acceptsGzip, let compressed = try? gzip(json, level: 3) else {
            self.init(json: json)
            return
        }
        self.init(json: compressed)
        headers[.contentEncoding] = "gzip"
    }

    /// An answer in plain text.
    init(text: String, status: HTTPResponse.Status = .ok, type: String = "text/plain; charset=utf-8") {
        self.init(
            status: status, headers: [.contentType: type, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}

/// Builds the bytes of one JSON object.
package func jsonObject(_ body: (inout JSONWriter) -> Void) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { body(&$0) }
    return writer.bytes
}

extension ErrorBody {
    /// As sent: `{"error":{"code":…,"message":…,"request_id":…}}`.
    var json: [UInt8] {
        jsonObject { writer in
            writer.name("error")
            writer.object { writer in
                writer.name("code")
                writer.plain(error.code)
                writer.name("message")
                writer.string(error.message)
                if let message = error.messageZH {
                    writer.name("message_zh")
                    writer.string(message)
                }
                if let reason = error.reason {
                    writer.name("reason")
                    writer.string(reason)
                }
                if let requestID = error.requestID {
                    writer.name("request_id")
                    writer.string(requestID)
                }
            }
        }
    }
}

extension Request {
    /// Whether `Accept-Encoding` names gzip, or everything, and does not weigh it with nothing.
    var acceptsGzip: Bool {
        guard let accepted = headers[.acceptEncoding] else { return false }
        return accepted.split(separator: ",").contains { entry in
            let parts = entry.lowercased().split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
            guard let coding = parts.first, coding == "gzip" || coding == "*" else { return false }
            return !parts.dropFirst().contains { $0.hasPrefix("q=") && (Double($0.dropFirst(2)) ?? 0) == 0 }
        }
    }
}
