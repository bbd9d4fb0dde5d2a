import Foundation
import HTTPTypes
import Hummingbird
import RoostAPI
import RoostSchema
import RoostStore

/// Imports of sheets.
struct ImportHandlers: Sendable {
    let importer: SheetImporter
    let register: ImportRegister
    let bodyLimit: Int

    /// `POST /v1/imports?template=&year=&dry_run=`: the body is the sheet's bytes.
    func upload(_ request: Request, _ context: RoostContext) async throws -> Response {
        let officer = try context.officer
        let query = request.uri.queryParameters
        let year = try query["year"].map { text in
            guard let year = Int(text), (1950...2100).contains(year) else {
                throw Refusal(.malformedRequest, "year is a number such as 2025")
            }
            return year
        }
        let isDryRun: Bool
        switch query["dry_run"] {
        case nil, "false": isDryRun = false
        case "true": isDryRun = true
        default: throw Refusal(.malformedRequest, "dry_run is true or false")
        }
        let report = try await importer.run(
            SheetUpload(
                bytes: try await request.bytes(upTo: bodyLimit), source: Self.source(of: request),
                template: query["template"].map(String.init), year: year, isDryRun: isDryRun),
            by: officer)
        return try Response(report, status: isDryRun ? .ok : .created)
    }

    /// The file's name, without the folders somebody's program put before it.
    private static func source(of request: Request) -> String {
        let name = HTTPField.Name(HeaderName.sheetName).flatMap { request.headers[$0] }?.removingPercentEncoding
        let last = name?.split { $0 == "/" || $0 == "\\" }.last.map(String.init)
        return String((last ?? "sheet.csv").prefix(200))
    }

    /// `GET /v1/imports`.
    func list(_ request: Request, _ context: RoostContext) async throws -> Response {
        try Response(try await register.list(for: try context.officer))
    }

    /// `POST /v1/imports/{batch}/undo`.
    func undo(_ request: Request, _ context: RoostContext) async throws -> Response {
        let batch = try context.row("batch")
        return try Response(try await register.undo(batch, by: try context.officer))
    }
}

extension RoostContext {
    /// Whose device sent the request.
    var officer: RowID { get throws { try sender.officer } }

    /// The row that a part of the path names.
    func row(_ parameter: String) throws -> RowID {
        guard let id = parameters.get(parameter).flatMap({ RowID($0) }) else {
            throw Refusal(.notFound, "no such \(parameter)")
        }
        return id
    }
}
