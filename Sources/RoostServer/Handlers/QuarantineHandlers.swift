import Hummingbird
import RoostAPI
import RoostSchema
import RoostStore
import RoostSync

/// Edits set aside, for those who see what they would change.
struct QuarantineHandlers: Sendable {
    let store: ServerStore

    /// The most entries of one answer.
    private static let pageLength = 500

    /// `GET /v1/quarantine?before=`.
    func list(_ request: Request, _ context: RoostContext) async throws -> Response {
        let before = try request.uri.queryParameters["before"].map { text in
            guard let number = Int64(text) else { throw Refusal(.malformedRequest, "before is the id of an entry") }
            return number
        }
        let (edits, more) = try await store.quarantine(
            for: try await store.principal(of: try context.officer), before: before, limit: Self.pageLength)
        let list = QuarantineList(
            entries: edits.map { edit in
                QuarantineList.Entry(
                    id: edit.id, receivedAt: edit.received.value, officer: edit.officer, device: edit.label,
                    collection: edit.collection.text, row: edit.row, action: edit.action,
                    fields: edit.changes.map { Value.Member($0.field, $0.value) }, reason: edit.reason)
            }, more: more)
        return Response(json: list.value.json)
    }
}
