import Foundation
import RoostAPI
import RoostClient
import RoostSchema
import RoostSheets
import RoostStore
import RoostSync

/// What an import on this device did or would do.
struct ImportView {
    private let draft: SheetImport.Draft
    private let catalogue: Catalogue
    private let wording: Wording
    private let language: Language

    /// The most rows shown one by one to people.
    private static let shown = 20

    init(_ draft: SheetImport.Draft, desk: Desk, language: Language) {
        self.draft = draft
        catalogue = desk.catalogue
        wording = Wording(desk.replica, lists: ReferenceLists(), language: language)
        self.language = language
    }

    private func text(_ zh: String, _ en: String) -> String { Label(zh, en).text(language) }

    /// What becomes of suspect rows, which the counts alone leave open.
    static let aboutSuspects = Label(
        "存疑的行：没有矛盾的内容照常导入，其余请人核对。",
        "Suspect rows are imported as far as nothing contradicts; somebody has to check the rest.")

    static func label(_ bucket: ImportPlan.Bucket) -> Label {
        switch bucket {
        case .new: Label("新增", "new")
        case .updated: Label("更新", "updated")
        case .unchanged: Label("无变化", "unchanged")
        case .suspect: Label("存疑", "suspect")
        case .refused: Label("拒绝", "refused")
        }
    }

    var lines: [String] {
        let plan = draft.plan
        let buckets = ImportPlan.Bucket.allCases.map { "\(Self.label($0).text(language)) \(plan.counts[$0] ?? 0)" }
        var lines = [
            text(
                "按“\(draft.template.label.zh)”读取 \(plan.rowsRead) 行：",
                "Read \(plan.rowsRead) rows as “\(draft.template.label.en)”: ") + buckets.joined(separator: " · ")
        ]
        if (plan.counts[.suspect] ?? 0) > 0 { lines.append(Self.aboutSuspects.text(language)) }
        for warning in plan.warnings { lines.append(warning.message.text(language)) }
        if !plan.unknownColumns.isEmpty {
            let names = plan.unknownColumns.joined(separator: "、")
            lines.append(text("未识别的列（未导入）：\(names)", "Unknown columns, left out: \(names)"))
        }
        for (label, count) in draft.withheld.sorted(by: { $0.key.en < $1.key.en }) {
            lines.append(
                text(
                    "您的角色不能填写“\(label.zh)”：略去 \(count) 处。",
                    "Your role may not write “\(label.en)”: \(count) left out."))
        }
        let telling = plan.rows.filter { !$0.fields.isEmpty && $0.bucket != .new || !$0.reasons.isEmpty }
        for row in telling.prefix(Self.shown) {
            let reasons = row.reasons.map { $0.text(language) }
            let changes = row.fields.filter { row.bucket == .updated || !$0.old.isNull }.map(change)
            lines.append(
                text("第 \(row.row) 行", "row \(row.row)") + " [\(Self.label(row.bucket).text(language))] "
                    + (changes + reasons).joined(separator: language == .zh ? "；" : "; "))
        }
        if telling.count > Self.shown {
            lines.append(
                text(
                    "…另有 \(telling.count - Self.shown) 行，见 --errors 或 --json。",
                    "… and \(telling.count - Self.shown) more: see --errors or --json."))
        }
        return lines
    }

    private func change(_ change: ImportPlan.FieldChange) -> String {
        guard let field = catalogue[change.collection]?[change.field] else { return change.field.text }
        return field.label.text(language) + " " + wording.text(change.old, of: field) + "→"
            + wording.text(change.new, of: field)
    }

    func value(batch: RowID?) -> Value {
        let plan = draft.plan
        let rows = plan.rows.filter { $0.bucket != .unchanged || !$0.reasons.isEmpty }.map { row in
            Value.object([
                .init("row", .integer(Int64(row.row))), .init("bucket", .text(row.bucket.rawValue)),
                .init("subject", row.subject.map { .id($0) } ?? .null),
                .init(
                    "changes",
                    .list(
                        row.fields.map { change in
                            .object([
                                .init("collection", .text(change.collection.text)),
                                .init("field", .text(change.field.text)), .init("old", change.old),
                                .init("new", change.new),
                            ])
                        })),
                .init("problems", .list(row.reasons.map { .text($0.text(language)) })),
            ])
        }
        let counts = ImportPlan.Bucket.allCases.map {
            Value.Member($0.rawValue, .integer(Int64(plan.counts[$0] ?? 0)))
        }
        return .object([
            .init("batch", batch.map { .id($0) } ?? .null), .init("template", .text(draft.template.name)),
            .init("counts", .object([.init("read", .integer(Int64(plan.rowsRead)))] + counts)),
            .init("warnings", .list(plan.warnings.map { .text($0.rawValue) })),
            .init("unknown_columns", .list(plan.unknownColumns.map { .text($0) })),
            .init(
                "withheld", .object(draft.withheld.map { .init($0.key.en, .integer(Int64($0.value))) })),
            .init("entries", .list(rows)),
        ])
    }
}

/// What an import on the server did or would do.
struct ServerImportView {
    private let report: ImportReport
    private let language: Language

    private static let shown = 20

    init(_ report: ImportReport, language: Language) {
        self.report = report
        self.language = language
    }

    private func text(_ zh: String, _ en: String) -> String { Label(zh, en).text(language) }

    var lines: [String] {
        let counts = report.counts
        var lines = [
            text(
                "读取 \(counts.read) 行（\(report.template)，\(report.encoding)）：新增 \(counts.new) · 更新 \(counts.updated) · "
                    + "无变化 \(counts.unchanged) · 存疑 \(counts.suspect) · 拒绝 \(counts.refused)",
                "Read \(counts.read) rows (\(report.template), \(report.encoding)): new \(counts.new) · "
                    + "updated \(counts.updated) · unchanged \(counts.unchanged) · suspect \(counts.suspect) · "
                    + "refused \(counts.refused)")
        ]
        if counts.suspect > 0 { lines.append(ImportView.aboutSuspects.text(language)) }
        for warning in report.warnings { lines.append(text(warning.zh, warning.en)) }
        if !report.unknownColumns.isEmpty {
            let names = report.unknownColumns.joined(separator: "、")
            lines.append(text("未识别的列（未导入）：\(names)", "Unknown columns, left out: \(names)"))
        }
        for name in report.unknownNames.prefix(Self.shown) {
            lines.append(
                text("名录中没有“\(name.words)”（\(name.rows) 行）", "“\(name.words)” is in no list (\(name.rows) rows)"))
        }
        let telling = report.entries.filter { $0.bucket != "new" || !$0.problems.isEmpty }
        for entry in telling.prefix(Self.shown) {
            let changes = entry.changes.filter { $0.old != nil }.map { "\($0.field) \($0.old ?? "")→\($0.new ?? "")" }
            let problems = entry.problems.map { problem in
                (problem.column.map { $0 + (language == .zh ? "：" : ": ") } ?? "") + text(problem.zh, problem.en)
            }
            let bucket = ImportPlan.Bucket(rawValue: entry.bucket).map { ImportView.label($0).text(language) }
            lines.append(
                text("第 \(entry.row) 行", "row \(entry.row)") + " [\(bucket ?? entry.bucket)] "
                    + (changes + problems).joined(separator: language == .zh ? "；" : "; "))
        }
        if telling.count > Self.shown {
            lines.append(
                text(
                    "…另有 \(telling.count - Self.shown) 行，见 --errors 或 --json。",
                    "… and \(telling.count - Self.shown) more: see --errors or --json."))
        }
        return lines
    }

    /// Without the sheet of errors, which `--errors` writes to a file.
    func value() throws -> Value {
        var told = report
        told.errorSheet = nil
        return try encoded(told)
    }
}

/// A body of the server's API as it is printed.
func encoded(_ body: some Encodable) throws -> Value { try Value(json: [UInt8](JSONEncoder().encode(body))) }

extension Session {
    /// Writes a file that only its owner may read: sheets hold personal data.
    func write(_ bytes: [UInt8], to path: String) throws {
        guard
            FileManager.default.createFile(
                atPath: path, contents: Data(bytes), attributes: [.posixPermissions: 0o600])
        else { throw ClientError.unwritableFile(path) }
    }
}
