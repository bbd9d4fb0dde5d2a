package import RoostAPI
import Curl
import RoostSync

extension ServerConnection {
    /// The edits set aside on the server that this officer may see, newest first.
    package func quarantine() async throws(ClientError) -> [QuarantineList.Entry] {
        var entries: [QuarantineList.Entry] = []
        while true {
            let path = Path.quarantine + (entries.last.map { "?before=\($0.id)" } ?? "")
            guard let page = QuarantineList(json: try await send(.get, path)) else { throw .badAnswer }
            entries += page.entries
            guard page.more, !page.entries.isEmpty else { return entries }
        }
    }
}
