import ArgumentParser
import Foundation
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
        let (_, directory) = try await options.dataThatIsThere()
        guard let id = RowID(row) else {
            throw Failure(options, "\(row) 不是记录编号（应形如 0198…-…）", "\(row) is no identity of a record (0198…-…)")
        }
        let (store, _) = try directory.open(isServing: false)
        defer { try? store.close() }
        let found: Erasure?
        do {
            found =
                force
                ? try await store.erase(id, of: Programme.subject)
                : try await store.erasure(of: id, in: Programme.subject)
        } catch is ErasureUnfinished {
            throw Failure(
                options, "记录已删除，但有程序正在读数据库，文件里的残留还没清掉；请稍后把这条命令再运行一次",
                "the record is wiped, but a program that reads the database keeps its files from being cleaned; run this "
                    + "command again in a while")
        }
        guard let found else { throw Failure(options, "没有这名学生的记录", "there is no student of this identity") }
        let former = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
        let aside = former.filter { $0.hasPrefix(ServerStore.fileName + ".before-") }.sorted()
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
                    writer.name("former_databases")
                    writer.array { writer in for name in aside { writer.string(name) } }
                })
        }
        if found.rows.isEmpty {
            options.say("这名学生早已删除，没有剩下的记录。", "This student was erased or deleted for good before; no rows are left.")
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
        if !aside.isEmpty {
            let names = aside.joined(separator: ", ")
            options.say(
                "恢复备份时移开的旧数据库里仍有这些内容，不需要时请删除：\(names)",
                "Databases that a restoration moved aside still hold it; delete them when done with them: \(names)")
        }
        options.say(
            "已彻底删除。\(found.devices) 台设备下次同步时清除，确认情况见 roostd devices。旧备份里仍有这些内容，恢复时会再次删除；备份请按期销毁。再次导入含此人的表格会重新建档。",
            "Wiped. \(found.devices) devices wipe theirs as they sync; roostd devices tells who has confirmed it. Backups made before "
                + "still hold it: restoring one erases it anew, but let them expire. A sheet that names the person again makes a "
                + "new record.")
    }
}
