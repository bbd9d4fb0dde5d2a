package import HTTPTypes
package import Hummingbird
import NIOCore
import RoostAPI
package import RoostSync

extension Response {
    /// An answer in JSON; nothing the server says may be kept by a cache on the way.
    package init(json: [UInt8], status: HTTPResponse.Status = .ok) {
        self.init(
            status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: json)))
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
