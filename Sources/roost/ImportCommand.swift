import ArgumentParser
import Curl
import Foundation
import RoostAPI
import RoostClient
import RoostSchema
import RoostSheets
import RoostStore
import RoostSync

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "导入表格（CSV）· Import a sheet (CSV).",
        discussion: """
            默认在本机导入：成为待同步的修改，证件号码一列略去。登记员和采集员用 --server 在服务器上导入。
            Imported on this device it becomes edits to be synchronised, without identity numbers; those whose role may \
            import use --server.
            """)

    @OptionGroup var options: CommonOptions
    @Argument(help: "CSV 文件 · The file.") var sheet: String
    @Flag(name: .long, help: "只预览，不写入 · Show what would happen and write nothing.") var dryRun = false
    @Option(name: .long, help: "模板名称 · Name of a template; found by the header otherwise.") var template: String?
    @Option(name: .long, help: "表格的年份 · The year the sheet is about.") var year: Int?
    @Option(name: .long, help: "将带“原因”列的表格写到此文件 · Write the sheet with a reason column here.") var errors: String?
    @Flag(name: .long, help: "在服务器上导入 · Import on the server.") var server = false

    private var source: String { URL(fileURLWithPath: sheet).lastPathComponent }

    func run() async throws {
        try await Session.run(options) { session in
            guard let data = FileManager.default.contents(atPath: sheet) else {
                throw ClientError.unreadableFile(sheet)
            }
            let bytes = [UInt8](data)
            if server { try await onServer(bytes, session) } else { try here(bytes, session) }
        }
    }

    // MARK: On this device

    private func here(_ bytes: [UInt8], _ session: Session) throws {
        let desk = try session.desk()
        let output = session.output
        output.progress(output.text("正在读取…", "reading…"))
        let importer = SheetImport(desk)
        let draft = try importer.draft(bytes, template: template, year: year)
        output.endProgress()
        let batch = dryRun ? nil : try importer.commit(draft, source: source)
        try write(draft, session)
        let view = ImportView(draft, desk: desk, language: options.language)
        for line in view.lines { output.say(line) }
        if let batch {
            output.say(
                "已写入本机，待同步。撤销：roost undo \(batch)",
                "Written here, to be synchronised. To take back: roost undo \(batch)")
        } else if dryRun {
            output.say("以上为预览，未写入。", "This was a dry run; nothing was written.")
        }
        output.result(view.value(batch: batch))
    }

    private func write(_ draft: SheetImport.Draft, _ session: Session) throws {
        guard let errors else { return }
        let language: KeyPath<Label, String> = options.language == .zh ? \.zh : \.en
        guard
            let bytes = try? ErrorSheet.bytes(
                of: draft.sheet, headers: draft.parsed.headers, reasons: draft.plan.reasons, rows: .all,
                language: language)
        else { throw ClientError.unwritableFile(errors) }
        try session.write(bytes, to: errors)
    }

    // MARK: On the server

    private func onServer(_ bytes: [UInt8], _ session: Session) async throws {
        let output = session.output
        output.progress(output.text("正在上传…", "uploading…"))
        defer { output.endProgress() }
        let desk = try session.desk()
        let client = HTTPClient(idleConnections: 2)
        defer { client.shutdown() }
        let connection = try session.connection(desk.enrolled, client)
        let report = try await connection.importSheet(
            bytes, source: source, template: template, year: year, dryRun: dryRun)
        output.endProgress()
        if let errors, let sheet = report.errorSheet.flatMap({ Data(base64Encoded: $0) }) {
            try session.write([UInt8](sheet), to: errors)
        }
        let view = ServerImportView(report, language: options.language)
        for line in view.lines { output.say(line) }
        if let batch = report.batch {
            let mayUndo = try desk.grants().contains {
                desk.catalogue[role: $0.role]?.rights.contains(.undoImports) ?? false
            }
            if mayUndo {
                output.say("已导入。撤销：roost undo \(batch)", "Imported. To take back: roost undo \(batch)")
            } else {
                output.say(
                    "已导入。如需撤销，请登记员运行：roost undo \(batch)",
                    "Imported. To have it taken back, ask a registrar to run: roost undo \(batch)")
            }
        } else {
            output.say("以上为预览，未写入。", "This was a dry run; nothing was written.")
        }
        output.result(try view.value())
    }
}

struct UndoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo", abstract: "撤销一次导入 · Take an import back.",
        discussion: "不带编号则列出可撤销的导入。Without an id, lists the imports.")

    @OptionGroup var options: CommonOptions
    @Argument(help: "导入的编号 · The import's id.") var batch: String?

    func run() async throws {
        try await Session.run(options) { session in
            let desk = try session.desk()
            let output = session.output
            let local = try desk.replica.batches()
            guard let text = batch else {
                let remote = try await serverImports(session, desk)
                return list(local, remote, Wording(desk, options.language), output)
            }
            guard let id = RowID(text) else { throw ClientError.noSuchEntry(text) }
            if let batch = local.first(where: { $0.id == id }) {
                let forgotten = try desk.undo(batch)
                if forgotten {
                    output.say("已撤销：尚未发送，直接取消。", "Taken back: none of it had been sent.")
                } else {
                    output.say("已撤销，待同步。", "Taken back; to be synchronised.")
                }
                output.result(.object([.init("batch", .id(id)), .init("forgotten", .boolean(forgotten))]))
                return
            }
            let client = HTTPClient(idleConnections: 2)
            defer { client.shutdown() }
            let report = try await session.connection(desk.enrolled, client).undoImport(id)
            output.say(
                "已撤销：恢复 \(report.restored) 处，删除 \(report.deleted) 条，保留 \(report.kept.count) 处。",
                "Taken back: \(report.restored) fields restored, \(report.deleted) rows deleted, \(report.kept.count) kept."
            )
            for kept in report.kept.prefix(20) { output.say("  " + Label(kept.zh, kept.en).text(options.language)) }
            output.say("运行 roost sync 取得结果。", "Run roost sync to see the result.")
            output.result(try encoded(report))
        }
    }

    /// What the server lists; nothing without a connection or for those whose role does not import.
    private func serverImports(_ session: Session, _ desk: Desk) async throws -> [ImportSummary] {
        let client = HTTPClient(idleConnections: 2)
        defer { client.shutdown() }
        do {
            return try await session.connection(desk.enrolled, client).imports().imports
        } catch ClientError.unreachable {
            session.output.warn(
                "连不上服务器，只列出本机的导入。", "The server cannot be reached; only this device's imports are listed.")
            return []
        } catch ClientError.refused(let refusal) where refusal.code == .forbidden {
            return []
        }
    }

    private func list(
        _ local: [OfflineBatch], _ remote: [ImportSummary], _ wording: Wording, _ output: Output
    ) {
        let undone = output.text("已撤销", "undone")
        output.table(
            [
                output.text("编号", "id"), output.text("文件", "file"), output.text("时间", "at"),
                output.text("位置", "where"), output.text("状态", "state"),
            ],
            local.map { batch in
                [
                    batch.id.description, batch.source, wording.moment(batch.madeAt),
                    output.text("本机", "this device"), batch.undoneAt == nil ? "" : undone,
                ]
            }
                + remote.map { batch in
                    [
                        batch.batch, batch.source, wording.moment(Milliseconds(batch.committedAt)),
                        output.text("服务器", "server"), batch.undoneAt == nil ? "" : undone,
                    ]
                })
        output.result(
            .list(
                local.map { batch in
                    Self.value(.id(batch.id), batch.source, batch.madeAt.value, batch.undoneAt?.value, onServer: false)
                }
                    + remote.map { batch in
                        Self.value(
                            .text(batch.batch), batch.source, batch.committedAt, batch.undoneAt, onServer: true)
                    }))
    }

    private static func value(
        _ batch: Value, _ source: String, _ madeAt: Int64, _ undoneAt: Int64?, onServer: Bool
    ) -> Value {
        .object([
            .init("batch", batch), .init("source", .text(source)), .init("made_at_ms", .integer(madeAt)),
            .init("undone_at_ms", undoneAt.map { .integer($0) } ?? .null), .init("on_server", .boolean(onServer)),
        ])
    }
}

extension Wording {
    fileprivate init(_ desk: Desk, _ language: Language) {
        self.init(desk.replica, lists: ReferenceLists(), language: language)
    }
}
