import ArgumentParser
import Foundation
import RoostSchema
import RoostServer
import RoostStore
import RoostSync

struct Recovery: OperatorCommand {
    static let configuration = CommandConfiguration(
        abstract: "What devices brought back after a restored backup, and what they could not. 恢复备份后各设备补交的情况。")

    @OptionGroup var options: CommonOptions
    @Flag(
        help: "列出仍在等待的修改及其内容（含个人信息） · Show the edits that still wait, with what they say (personal data).")
    var waiting = false

    func act() async throws {
        let (_, directory) = try await options.dataThatIsThere()
        let (store, _) = try directory.open(isServing: false)
        let reports = try await store.recoveryReports()
        let imports = try await store.lostImports()
        let edits = waiting ? try await store.waitingEdits() : []
        try store.close()
        if options.json {
            printLine(
                jsonObject { writer in
                    writer.name("epochs")
                    writer.array { writer in for report in reports { report.write(to: &writer) } }
                    writer.name("imports")
                    writer.array { writer in for lost in imports { lost.write(to: &writer) } }
                    guard waiting else { return }
                    writer.name("waiting")
                    writer.array { writer in for edit in edits { edit.write(to: &writer) } }
                })
        } else if reports.isEmpty {
            options.say("服务器从未丢失历史。", "The server never lost any of its history.")
        } else {
            for report in reports { tell(report) }
            tell(imports)
            for edit in edits { tell(edit, of: reports, store.rules.catalogue) }
            if !waiting, reports.contains(where: { $0.devices.contains { $0.waiting > 0 } }) {
                options.say(
                    "等待中的修改及其内容：roostd recovery --waiting。所等的记录确实回不来时，请照此重新录入。",
                    "What waits, and what it says: roostd recovery --waiting. If its record can never come, enter it anew from there."
                )
            }
        }
    }

    private func tell(_ edit: WaitingEdit, of reports: [RecoveryReport], _ catalogue: Catalogue) {
        let devices = reports.flatMap(\.devices).map(\.device)
        let label = devices.first { $0.device.replica == edit.replica }?.device.label ?? edit.replica.description
        let collection = catalogue.position(of: edit.mutation.collection).map { catalogue.collections[$0] }
        let title = collection.map { options.text($0.label) } ?? edit.mutation.collection
        print(
            "  \(Self.moment(edit.stamp.time.moment))  \(label)  \(title) \(edit.mutation.row)  \(edit.mutation.action.rawValue)"
        )
        for change in edit.mutation.changes {
            let field = collection.flatMap { declared in declared.position(of: change.field).map { declared.fields[$0] }
            }
            var json = JSONWriter()
            json.value(change.value)
            let said = change.value.text ?? String(decoding: json.bytes, as: UTF8.self)
            print("    \(field.map { options.text($0.label) } ?? change.field): \(said)")
        }
    }

    private func tell(_ imports: [LostImport]) {
        guard !imports.isEmpty else { return }
        options.say(
            "有 \(imports.count) 次导入随丢失的历史一起没有了，设备上没有副本。请用原文件再导入一次（roost import --server），其中的人仍是原来的记录，设备补交的修改会自动归位：",
            "\(imports.count) imports went with the lost history, and no device can bring them back. Import the same files "
                + "again (roost import --server): the rows are the same as before, and what devices gave back finds them:"
        )
        for lost in imports { print("  \(Self.moment(lost.first.moment))  \(lost.source)") }
    }

    private static func moment(_ moment: Milliseconds) -> String {
        Date(timeIntervalSince1970: Double(moment.value) / 1000).formatted(.iso8601)
    }

    private func tell(_ report: RecoveryReport) {
        print("\(Self.moment(report.begun.begun))  \(report.begun.epoch)  \(options.text(report.begun.reason.label))")
        for device in report.devices {
            let known = device.device.device
            let state: String
            if device.met == nil {
                state = options.text(Label("还没有同步过", "has not synced since"))
            } else {
                var parts = device.outcomes.sorted { $0.key.rawValue < $1.key.rawValue }.map { outcome, count in
                    "\(outcome.rawValue) \(count)"
                }
                if device.waiting > 0 {
                    parts.append(
                        options.text(
                            Label(
                                "等待其他设备补交或重新导入的记录 \(device.waiting)",
                                "\(device.waiting) wait for rows that another device or an import has yet to bring")))
                }
                if device.unrecovered > 0 {
                    parts.append(
                        options.text(
                            Label("找不回 \(device.unrecovered)", "\(device.unrecovered) could not be given again")))
                }
                state =
                    parts.isEmpty
                    ? options.text(Label("没有要补交的", "nothing to give again")) : parts.joined(separator: ", ")
            }
            print("  \(known.replica)  \(known.label)  \(state)")
        }
        if report.awaited > 0 {
            options.say(
                "  还有 \(report.awaited) 台设备没有同步：它们可能还有要补交的修改。",
                "  \(report.awaited) devices have yet to sync and may bring back more.")
        }
    }
}

extension EpochRecord.Reason {
    fileprivate var label: Label {
        switch self {
        case .restored: Label("恢复了备份", "a backup was restored")
        case .putBack: Label("数据库是手工放回的", "the database was put back by hand")
        case .sequenceLost: Label("数据库比已发出的序号旧", "the database was older than what it had given out")
        case .deviceAhead: Label("有设备比服务器新", "a device had more than the server")
        }
    }
}

extension LostImport {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("batch")
            writer.id(batch)
            writer.name("source")
            writer.string(source)
            writer.name("imported_at")
            writer.integer(first.moment.value)
        }
    }
}

extension WaitingEdit {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("replica")
            writer.plain(replica.description)
            writer.name("collection")
            writer.string(mutation.collection)
            writer.name("row")
            writer.id(mutation.row)
            writer.name("action")
            writer.plain(mutation.action.rawValue)
            writer.name("made_at")
            writer.integer(stamp.time.moment.value)
            writer.name("fields")
            writer.object { writer in
                for change in mutation.changes {
                    writer.name(escaping: change.field)
                    writer.value(change.value)
                }
            }
        }
    }
}

extension RecoveryReport {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("epoch")
            writer.string(begun.epoch)
            writer.name("former")
            writer.string(begun.former)
            writer.name("reason")
            writer.plain(begun.reason.rawValue)
            writer.name("begun_at")
            writer.integer(begun.begun.value)
            if let replica = begun.replica {
                writer.name("found_by")
                writer.plain(replica.description)
            }
            writer.name("sequence")
            writer.integer(begun.sequence.value)
            writer.name("awaited")
            writer.integer(Int64(awaited))
            writer.name("devices")
            writer.array { writer in for device in devices { device.write(to: &writer) } }
        }
    }
}

extension RecoveredDevice {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("replica")
            writer.plain(device.device.replica.description)
            writer.name("officer")
            writer.id(device.device.officer)
            writer.name("label")
            writer.string(device.device.label)
            if let met {
                writer.name("met_at")
                writer.integer(met.value)
            }
            for (outcome, count) in outcomes.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                writer.name(escaping: outcome.rawValue)
                writer.integer(Int64(count))
            }
            writer.name("unrecovered")
            writer.integer(Int64(unrecovered))
            writer.name("waiting")
            writer.integer(Int64(waiting))
        }
    }
}
