import Foundation
import RoostAPI
import RoostSchema
import RoostSheets
import RoostSync
import RoostText

/// Tells an import plan to the officer who made it, as far as that officer may see.
struct ImportReportWriter: Sendable {
    let sheet: Sheet
    let parsed: ParsedSheet
    let source: String
    /// Names of schools and chapters, to say references by.
    let names: [RowID: String]
    let rules: Rules
    /// The kinds of the unkeyed scopes that the officer holds.
    let sights: [Int]

    func report(of plan: ImportPlan, batch: RowID?) throws -> ImportReport {
        let counts = plan.counts
        let reasons = plan.reasons
        return ImportReport(
            batch: batch?.description, source: source, template: parsed.template.name,
            encoding: sheet.encoding.rawValue, delimiter: sheet.delimiter.rawValue,
            headerRow: sheet.rows[parsed.headers.headerIndex].row, year: parsed.year, columns: columns,
            unknownColumns: plan.unknownColumns,
            unknownNames: plan.unknownNames.map { name, rows in
                ImportReport.UnknownName(
                    collection: name.collection.text, field: name.field.text, words: name.words, rows: rows)
            }.sorted { ($1.rows, $0.words) < ($0.rows, $1.words) },
            warnings: plan.warnings.map { warning in
                ImportReport.Remark(code: warning.rawValue, zh: warning.message.zh, en: warning.message.en)
            },
            counts: ImportReport.Counts(
                read: plan.rowsRead, new: counts[.new] ?? 0, updated: counts[.updated] ?? 0,
                unchanged: counts[.unchanged] ?? 0, suspect: counts[.suspect] ?? 0, refused: counts[.refused] ?? 0),
            entries: plan.rows.compactMap(entry),
            errorSheet: reasons.isEmpty ? nil : try errorSheet(reasons))
    }

    private func errorSheet(_ reasons: [Int: Label]) throws -> String {
        Data(try ErrorSheet.bytes(of: sheet, headers: parsed.headers, reasons: reasons)).base64EncodedString()
    }

    private var columns: [ImportReport.Column] {
        zip(parsed.headers.headers, parsed.headers.targets).compactMap { header, target in
            target.map { target in
                ImportReport.Column(
                    header: header, collection: parsed.template.parts[target.part].collection.text,
                    field: target.field.text)
            }
        }
    }

    /// A row that changes nothing and needs no remark is not listed.
    private func entry(_ row: ImportPlan.Row) -> ImportReport.Entry? {
        let problems = problems(of: row)
        if row.bucket == .unchanged, problems.isEmpty { return nil }
        let listsChanges = row.bucket == .updated || row.bucket == .suspect
        return ImportReport.Entry(
            row: row.row, bucket: row.bucket.rawValue, subject: row.subject?.description,
            changes: listsChanges ? row.fields.map(change) : [], problems: problems)
    }

    private func change(_ change: ImportPlan.FieldChange) -> ImportReport.Change {
        let isHidden = !shows(change.field, of: change.collection)
        return ImportReport.Change(
            collection: change.collection.text, field: change.field.text, old: isHidden ? nil : text(change.old),
            new: isHidden ? nil : text(change.new), hidden: isHidden)
    }

    /// Whether the officer sees the field of every row in full.
    private func shows(_ field: FieldName, of collection: CollectionName) -> Bool {
        guard let index = rules.catalogue.position(of: collection),
            let position = rules.catalogue.collections[index].position(of: field)
        else { return false }
        return sights.contains { rules.view(of: index, in: $0)?.sights[position] == .full }
    }

    private func text(_ value: Value) -> String? {
        switch value {
        case .null: nil
        case .text(let text): text
        case .integer(let integer): String(integer)
        case .boolean(let boolean): boolean ? "yes" : "no"
        case .id(let id): names[id] ?? id.description
        case .list(let list): list.compactMap(text).joined(separator: "、")
        case .real, .object: String(decoding: value.json, as: UTF8.self)
        }
    }

    private func problems(of row: ImportPlan.Row) -> [ImportReport.Remark] {
        var problems: [ImportReport.Remark] = []
        if let problem = row.problem {
            problems.append(
                ImportReport.Remark(code: problem.rawValue, zh: problem.advice.zh, en: problem.advice.en))
        }
        for note in row.notes {
            problems.append(
                ImportReport.Remark(
                    code: note.problem.rawValue, column: note.header, zh: note.problem.advice.zh,
                    en: note.problem.advice.en))
        }
        if let suspicion = row.suspicion, let reason = row.reasons.last {
            problems.append(ImportReport.Remark(code: suspicion.code, zh: reason.zh, en: reason.en))
        }
        return problems
    }
}

extension ImportPlan.Suspicion {
    /// The stable name.
    fileprivate var code: String {
        switch self {
        case .looksLike: "looks_like"
        case .severalMatches: "several_matches"
        case .sharedIdentity: "shared_identity"
        case .contradicts: "contradicts"
        }
    }
}
