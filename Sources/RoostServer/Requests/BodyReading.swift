import HTTPTypes
package import Hummingbird
import NIOCore
import RoostAPI

extension Request {
    /// The whole body, of at most so many bytes; a body announced as larger is refused before it is read.
    package func bytes(upTo limit: Int) async throws -> [UInt8] {
        if let encoding = headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw Refusal(.malformedRequest, "bodies are taken without content encoding")
        }
        if let announced = headers[.contentLength].flatMap({ Int($0) }), announced > limit {
            throw Refusal(.bodyTooLarge, "the body is larger than the \(limit) bytes allowed")
        }
        return Array(try await body.collect(upTo: limit).readableBytesView)
    }
}
