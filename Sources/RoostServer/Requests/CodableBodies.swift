import Foundation
import Hummingbird
import RoostAPI

extension Request {
    /// The body as a value of JSON.
    func value<Body: Decodable>(_ type: Body.Type, upTo limit: Int = 1 << 20) async throws -> Body {
        let bytes = try await bytes(upTo: limit)
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw Refusal(.malformedRequest, "the body is not of the form this path takes: \(error.place)")
        }
    }
}

extension Response {
    /// An answer whose body is a value as JSON.
    init(_ body: some Encodable, status: HTTPResponse.Status = .ok) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        self.init(json: Array(try encoder.encode(body)), status: status)
    }
}

extension DecodingError {
    /// Where it went wrong, without anything of what was sent but names of members.
    fileprivate var place: String {
        let (what, context): (String, Context) =
            switch self {
            case .typeMismatch(_, let context): ("wrong type", context)
            case .valueNotFound(_, let context): ("null", context)
            case .keyNotFound(let key, let context): ("missing \(key.stringValue)", context)
            case .dataCorrupted(let context): ("no JSON", context)
            @unknown default: ("unreadable", Context(codingPath: [], debugDescription: ""))
            }
        let path = context.codingPath.map(\.stringValue).joined(separator: ".")
        return path.isEmpty ? what : "\(what) at \(path)"
    }
}
