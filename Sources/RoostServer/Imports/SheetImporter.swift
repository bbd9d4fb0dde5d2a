package import RoostAPI
package import RoostSchema
package import RoostStore
import Crypto
import Foundation
import RoostModel
import RoostSheets
import RoostSync

/// What somebody uploads, and how it is to be taken.
package struct SheetUpload: Sendable {
    package var bytes: [UInt8]
    /// The file's name.
    package var source: String
    /// Name of a template; nil takes the one the officer last used for a file of this name, else the best fit.
    package var template: String?
    /// The year the sheet is about, where its title does not say.
    package var year: Int?
    package var isDryRun: Bool

    package init(
        bytes: [UInt8], source: String, template: String? = nil, year: Int? = nil, isDryRun: Bool
    ) {
        self.bytes = bytes
        self.source = source
        self.template = template
        self.year = year
        self.isDryRun = isDryRun
    }
}

/// Imports sheets: reads, plans against what is stored, and commits all or nothing.
package struct SheetImporter: Sendable {
    private let store: ServerStore
    private let lists: SheetLists
    private let identityKey: SymmetricKey
    private let sheetKey: SymmetricKey

    /// Prepares for imports about the people of one county.
    /// - Parameters:
    ///   - store: Where rows are kept.
    ///   - key: Makes the digests of identity numbers; a number itself is never kept, logged or told.
    ///   - homeDivision: GB/T 2260 code of the county.
    /// - Throws: ``SheetError`` if a shipped list cannot be read.
    package init(store: ServerStore, key: ServerKey, homeDivision: String = Programme.homeDivision) throws {
        self.store = store
        lists = try SheetLists(homeDivision: homeDivision)
        identityKey = key.derived("identity-number")
        sheetKey = key.derived("sheet")
    }

    /// Imports a sheet, or tells what importing it would do.
    /// - Throws: ``Refusal`` for a file that cannot be used, and for an officer without the right.
    package func run(_ upload: SheetUpload, by officer: RowID) async throws -> ImportReport {
        let principal = try await store.principal(of: officer)
        let now = store.clock()
        guard principal.has(.importSheets, at: now, store.rules.catalogue) else {
            throw Refusal.role(
                Label("在服务器上导入表格须是登记员或采集员。", "importing sheets takes the role of a registrar or collector"))
        }
        let sheet = try Self.translatingSheetErrors { () throws(SheetError) in try Sheet(reading: upload.bytes) }
        let template = try await template(for: upload, sheet: sheet, officer: officer)
        let lists = lists
        let (directory, names) = try await store.reading { reader in try lists.directory(reader) }
        let parser = SheetParser(
            catalogue: store.rules.catalogue, template: template, directory: directory, year: upload.year,
            moment: now.value, digest: digest)
        let parsed = try Self.translatingSheetErrors { () throws(SheetError) in try parser.parse(sheet) }
        let candidates = Candidates(of: parsed, catalogue: store.rules.catalogue)
        let writer = ImportReportWriter(
            sheet: sheet, parsed: parsed, source: upload.source, names: names, rules: store.rules,
            sights: principal.scopes(at: now, store.rules).filter { $0.key == nil }.map(\.kind))
        let digest = hexadecimal(fingerprint(of: upload.bytes))
        let lost = try await store.lostImports().last { $0.sheet == digest }
        let draft = ImportDraft(
            id: lost?.batch ?? RowID(milliseconds: now.value, random: .random(in: .min ... .max)), officer: officer,
            source: upload.source, template: template.name, sheet: digest, first: lost?.first)
        if upload.isDryRun {
            let plan = try await store.reading { reader in try self.plan(parsed, candidates, reader, in: draft.id) }
            return try writer.report(of: plan, batch: nil)
        }
        do {
            let collections = Set(template.parts.map(\.collection))
            let plan = try await store.commitImport(draft, reading: collections) { reader in
                let plan = try self.plan(parsed, candidates, reader, in: draft.id)
                return PlannedImport(edits: Self.edits(of: plan), counts: Self.counts(of: plan), outcome: plan)
            }
            return try writer.report(of: plan, batch: draft.id)
        } catch let refused as RefusedWrite {
            let refusal = refused.verdict.refusal?.rawValue ?? ""
            throw Refusal(
                .conflict, reason: "import_refused",
                Label("有一行无法写入（\(refusal)），未导入任何内容。", "a row was refused (\(refusal)); nothing was imported"))
        }
    }

    private var digest: IdentityDigest {
        let key = identityKey
        return { number in
            hexadecimal(Array(HMAC<SHA256>.authenticationCode(for: number, using: key)))
        }
    }

    private func template(
        for upload: SheetUpload, sheet: Sheet, officer: RowID
    ) async throws -> SheetTemplate {
        let catalogue = store.rules.catalogue
        if let name = upload.template {
            guard let template = catalogue.templates.first(where: { $0.name == name }) else {
                throw Refusal(
                    .notFound, reason: "unknown_template", Label("没有名为“\(name)”的模板。", "there is no such template"))
            }
            return template
        }
        if let name = try await store.lastTemplate(of: upload.source, by: officer),
            let template = catalogue.templates.first(where: { $0.name == name })
        {
            return template
        }
        let scored = catalogue.templates.map { template in
            (template, HeaderMap.score(of: sheet, template: template, catalogue: catalogue) ?? 0)
        }
        // The first of equals: the most particular template comes first.
        let best = scored.reduce(scored.first) { best, next in next.1 > (best?.1 ?? 0) ? next : best }
        guard let best, best.1 > 0 else { throw Refusal(SheetError.noHeader) }
        return best.0
    }

    private static func translatingSheetErrors<Result>(
        _ body: () throws(SheetError) -> Result
    ) throws(Refusal) -> Result {
        do throws(SheetError) {
            return try body()
        } catch {
            throw Refusal(error)
        }
    }

    private func fingerprint(of bytes: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: bytes, using: sheetKey))
    }

    /// The identity of what a row of a sheet makes: the same once more, where a server that lost the import is given the
    /// sheet again, so that what devices gave back of these rows finds them.
    private func newRow(_ row: Int, _ part: Int, in batch: RowID) -> RowID {
        let random = fingerprint(of: Array("\(batch) \(row) \(part)".utf8)).prefix(16).reduce(0) {
            $0 << 8 | UInt128($1)
        }
        return RowID(milliseconds: Int64(batch.bits >> 80), random: random)
    }

    // MARK: Planning

    private func plan(
        _ parsed: ParsedSheet, _ candidates: Candidates, _ reader: RosterReader, in batch: RowID
    ) throws -> ImportPlan {
        let known = KnownRows(
            catalogue: reader.catalogue, template: parsed.template,
            rows: try Self.knownRows(for: parsed.template, candidates, reader))
        var planner = ImportPlanner(known: known) { row, part in newRow(row, part, in: batch) }
        return planner.plan(parsed)
    }

    /// The stored rows that the sheet may be about, with their parts.
    private static func knownRows(
        for template: SheetTemplate, _ candidates: Candidates, _ reader: RosterReader
    ) throws -> [CollectionName: [KnownRow]] {
        guard let root = template.parts.first else { return [:] }
        var roots: [RowID] = []
        try reader.scan(root.collection, candidates.fields) { id, values in
            if candidates.admits(values) { roots.append(id) }
        }
        var rows = [
            root.collection: try reader.rows(root.collection, ids: roots).map {
                KnownRow(id: $0.key.id, values: $0.values)
            }
        ]
        for part in template.parts.dropFirst() where rows[part.collection] == nil {
            guard let owner = part.references.keys.min() else { continue }
            rows[part.collection] = try reader.rows(part.collection, referring: owner, to: roots).map {
                KnownRow(id: $0.key.id, values: $0.values)
            }
        }
        return rows
    }

    /// One edit for each row, however many rows of the sheet are about it, so that each has one stamp to undo by.
    private static func edits(of plan: ImportPlan) -> [TrustedEdit] {
        struct Key: Hashable {
            let collection: CollectionName
            let id: RowID
        }
        var edits: [TrustedEdit] = []
        var places: [Key: Int] = [:]
        for change in plan.rows.lazy.flatMap(\.changes) {
            let key = Key(collection: change.collection, id: change.id)
            if let place = places[key] {
                edits[place].fields.merge(change.values) { _, later in later }
            } else {
                places[key] = edits.count
                edits.append(
                    TrustedEdit(
                        change.collection, change.id, change.kind == .create ? .create : .edit, change.values))
            }
        }
        return edits
    }

    private static func counts(of plan: ImportPlan) -> [String: Int] {
        var counts = Dictionary(uniqueKeysWithValues: plan.counts.map { ($0.key.rawValue, $0.value) })
        counts["read"] = plan.rowsRead
        return counts
    }
}

extension Refusal {
    /// What the uploader is told of a file that cannot be used.
    init(_ error: SheetError) {
        self.init(error == .workbook ? .unsupportedSheet : .unusableSheet, reason: error.code, error.message)
    }
}
