import ArgumentParser
import RoostModel
import RoostSchema
import RoostServer
import RoostStore
import RoostSync

struct Erase: OperatorCommand {
    static let configuration = CommandConfiguration(
        abstract: "Wipe a student's record with everything about them, for good. 彻底删除一名学生的全部记录，不可恢复。")

    @OptionGroup var options: CommonOptions

    @Argument(help: "The record's identity, as roost students show --json tells it. 记录编号，见 roost students show --json。")
    var row: String

    @Flag(help: "Do it; without this, only what would go is told. 确认执行；不加则只列出将被删除的内容。")
    var force = false

    func act() async throws {
        let settings = try await SettingsReading(options).settings
        let directory = DataDirectory(path: settings.data, key: settings.key)
        guard directory.holdsDatabase else {
            throw Failure(options, "\(settings.data) 里没有数据库", "there is no database in \(settings.data)")
        }
        guard let id = RowID(row) else {
            throw Failure(options, "\(row) 不是记录编号（应形如 0198…-…）", "\(row) is no identity of a record (0198…-…)")
        }
        let (store, _) = try directory.open(isServing: false)
        defer { try? store.close() }
        let found =
            force
            ? try await store.erase(id, of: Programme.subject) : try await store.erasure(of: id, in: Programme.subject)
        guard let found else {
            throw Failure(options, "没有这条记录；可能早已彻底删除", "there is no such record; it may have been erased before")
        }
        if options.json {
            return printLine(
                jsonObject { writer in
                    writer.name("erased")
                    writer.boolean(force)
                    writer.name("rows")
                    writer.object { writer in
                        for (name, count) in found.rows.sorted(by: { $0.key < $1.key }) {
                            writer.name(escaping: name.text)
                            writer.integer(Int64(count))
                        }
                    }
                    writer.name("devices")
                    writer.integer(Int64(found.devices))
                })
        }
        for (name, count) in found.rows.sorted(by: { $0.key < $1.key }) {
            let title = store.rules.catalogue[name].map { options.text($0.label) } ?? name.text
            print("  \(title)  \(count)")
        }
        guard force else {
            return options.say(
                "以上记录及其历史将被彻底删除，不可恢复。确认请加 --force。",
                "These and their history would be wiped for good. Give --force to do it.")
        }
        options.say(
            "已彻底删除。\(found.devices) 台设备下次同步时清除，确认情况见 roostd devices。旧备份里仍有这些内容，恢复时会再次删除；备份请按期销毁。再次导入含此人的表格会重新建档。",
            "Wiped. \(found.devices) devices wipe theirs as they sync; roostd devices tells who has confirmed it. Backups made before "
                + "still hold it: restoring one erases it anew, but let them expire. A sheet that names the person again makes a "
                + "new record.")
    }
}
