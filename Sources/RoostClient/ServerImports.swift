package import RoostAPI
package import RoostSchema
import Curl
import Foundation

extension ServerConnection {
    /// Imports a sheet on the server, or asks what importing it would do.
    ///
    /// Sent once only: whether an import whose answer was lost has happened is for its list to tell.
    package func importSheet(
        _ bytes: [UInt8], source: String, template: String?, year: Int?, dryRun: Bool
    ) async throws(ClientError) -> ImportReport {
        var query: [String] = []
        if dryRun { query.append("dry_run=true") }
        if let template { query.append("template=" + Self.escaped(template)) }
        if let year { query.append("year=\(year)") }
        let path = Path.imports + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
        let seconds = try await limits().importTimeoutSeconds
        let answer = try await send(
            .post, path,
            headers: [
                HTTPHeader("content-type", "text/csv"), HTTPHeader(HeaderName.sheetName, Self.escaped(source)),
            ], body: bytes, attempts: 1, within: .seconds(seconds + 30))
        return try decode(ImportReport.self, answer)
    }

    /// The imports on the server: one's own, or all for those who may undo them.
    package func imports() async throws(ClientError) -> ImportList {
        try decode(ImportList.self, try await send(.get, Path.imports))
    }

    package func undoImport(_ batch: RowID) async throws(ClientError) -> ImportUndoReport {
        try decode(
            ImportUndoReport.self, try await send(.post, Path.imports + "/\(batch)/undo", attempts: 1))
    }

    /// The text as a value in a query.
    static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(
            withAllowedCharacters: .alphanumerics.intersection(.init(charactersIn: "\0"..."\u{7F}")))
            ?? ""
    }
}
