import HTTPTypes
import Hummingbird
import RoostAPI
import RoostStore
import RoostSync

/// `GET /v1/snapshots/{id}`: what a scope showed, as one compressed file; whole or in parts.
struct SnapshotHandler: Sendable {
    let store: ServerStore
    private let files = FileIO()

    init(store: ServerStore) { self.store = store }

    func snapshot(_ request: Request, _ context: RoostContext) async throws -> Response {
        let device = try context.sender
        guard let id = context.parameters.get("snapshot"),
            let snapshot = try await store.snapshot(id, for: device.officer)
        else {
            // The same for what never was, is out of date, or is of a scope the sender does not hold.
            throw Refusal(.notFound, "no such snapshot; exchange again to be told of another")
        }
        let size = snapshot.offer.bytes
        let tag = "\"\(id)\""
        var headers: HTTPFields = [
            .contentType: "application/gzip", .cacheControl: "no-store", .acceptRanges: "bytes", .eTag: tag,
        ]
        // A range of another file is no range of this one (RFC 9110, If-Range).
        let isSame = request.headers[.ifRange].map { $0 == tag } ?? true
        guard isSame, let bytes = request.headers[.range].flatMap({ ByteRange($0) })?.resolved(in: size) else {
            let body = try await files.loadFile(path: snapshot.path, context: context)
            return Response(status: .ok, headers: headers, body: body)
        }
        headers[.contentRange] = "bytes \(bytes.lowerBound)-\(bytes.upperBound)/\(size)"
        let body = try await files.loadFile(path: snapshot.path, range: bytes, context: context)
        return Response(status: .partialContent, headers: headers, body: body)
    }
}

/// One range of bytes as a `Range` header asks for it; several, or other units, are none (they may be ignored).
struct ByteRange: Hashable, Sendable {
    private let first: Int?
    private let last: Int?

    init?(_ text: String) {
        let prefix = "bytes="
        guard text.hasPrefix(prefix) else { return nil }
        let ends = text.dropFirst(prefix.count).split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, ends.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else {
            return nil
        }
        first = ends[0].isEmpty ? nil : Int(ends[0])
        last = ends[1].isEmpty ? nil : Int(ends[1])
        guard (first != nil) == !ends[0].isEmpty, (last != nil) == !ends[1].isEmpty, first ?? last != nil,
            (first ?? 0) <= last ?? .max
        else { return nil }
    }

    /// The bytes it means of so many; nil if there are none.
    func resolved(in size: Int) -> ClosedRange<Int>? {
        guard let first else {
            guard let last, last > 0, size > 0 else { return nil }
            return max(0, size - last)...size - 1
        }
        guard first < size else { return nil }
        return first...min(last ?? size - 1, size - 1)
    }
}
