import ArgumentParser
import Foundation
import RoostSchema
import RoostServer
import RoostStore
import RoostSync

struct Init: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make database and key file. 新建数据库和密钥文件。")

    @OptionGroup var options: CommonOptions

    @Flag(
        help: """
            The former key is lost: take the one that is there, or a new one; endpoints' addresses must be entered again. \
            原密钥已丢失，改用现有密钥；各端点地址须重新填写。
            """)
    var adoptKey = false

    func act() async throws {
        let settings = try await SettingsReading(options).settings
        let directory = DataDirectory(path: settings.data, key: settings.key)
        let wasThere = directory.holdsDatabase
        if adoptKey, wasThere {
            let lock: ServerLock
            do { lock = try ServerLock(directory: settings.data) } catch is ServerLock.Taken {
                throw Failure(options, "服务器正在运行，请先停止", "the server is running; stop it first")
            }
            defer { lock.release() }
            let lost = try directory.adoptKey()
            if lost > 0 {
                options.say(
                    "\(lost) 个端点须重新填写地址并测试。", "The addresses of \(lost) endpoints must be entered and tested again.")
            }
        }
        let (store, _) = try await directory.initialise()
        let schools = try await store.count(of: "school")
        try store.close()
        if options.json {
            printLine(
                jsonObject { writer in
                    writer.name("data")
                    writer.string(settings.data)
                    if let key = directory.keyFile {
                        writer.name("key")
                        writer.string(key)
                    }
                    writer.name("schools")
                    writer.integer(Int64(schools))
                })
        } else {
            if wasThere {
                options.say(
                    "\(settings.data) 里已有数据库，内有 \(schools) 所学校，保持不变。",
                    "\(settings.data) has a database already, with \(schools) schools; it stays as it is.")
            } else {
                options.say(
                    "已在 \(settings.data) 建库，内有 \(schools) 所学校。",
                    "Made a database with \(schools) schools in \(settings.data).")
            }
            let key = directory.keyFile ?? "ROOST_KEY"
            options.say(
                "请把密钥 \(key) 另存到别处（不要和备份放在一起）。",
                "Keep a copy of the key \(key) elsewhere, apart from backups.")
        }
    }
}

struct DoctorCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Look for problems and say what to do. 检查并给出处理办法。")

    @OptionGroup var options: CommonOptions

    func act() async throws {
        let settings = try await SettingsReading(options).settings
        let findings = Doctor(DataDirectory(path: settings.data, key: settings.key)).findings()
        if options.json {
            printLine(
                jsonObject { writer in
                    writer.name("findings")
                    writer.array { writer in
                        for finding in findings {
                            writer.object { writer in
                                writer.name("check")
                                writer.plain(finding.check)
                                writer.name("level")
                                writer.plain(finding.level.rawValue)
                                writer.name("message")
                                writer.string(options.text(finding.message))
                                if let advice = finding.advice {
                                    writer.name("advice")
                                    writer.string(options.text(advice))
                                }
                            }
                        }
                    }
                })
        } else {
            for finding in findings {
                let mark = ["good": "✓", "warning": "!", "bad": "✗"][finding.level.rawValue] ?? " "
                print("\(mark) \(options.text(finding.message))")
                if let advice = finding.advice { print("    → \(options.text(advice))") }
            }
        }
        if findings.contains(where: { $0.level == .bad }) { throw ExitCode(1) }
    }
}

struct Backup: OperatorCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copy the database while the server runs. 在线备份数据库。")

    @OptionGroup var options: CommonOptions

    @Argument(help: "A directory, or the file to write. 目录或文件。")
    var target: String

    func act() async throws {
        let (_, directory) = try await options.dataThatIsThere()
        let path = try directory.backUp(to: target)
        if options.json {
            printLine(
                jsonObject { writer in
                    writer.name("backup")
                    writer.string(path)
                    if let key = directory.keyFile {
                        writer.name("key")
                        writer.string(key)
                    }
                })
        } else {
            options.say("已备份到 \(path)", "Wrote \(path)")
            let key = directory.keyFile ?? "ROOST_KEY"
            options.say(
                "备份里没有密钥。请把 \(key) 另存一份，和备份分开保管：缺了它，接收端密钥和身份证摘要无法恢复。",
                "The key is not in it. Keep \(key) apart from backups: without it, endpoint "
                    + "secrets and identity digests cannot be used again.")
        }
    }
}

struct Restore: OperatorCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put a backup in place, under a new epoch. 恢复备份（启用新纪元）。")

    @OptionGroup var options: CommonOptions

    @Argument(help: "The backup file. 备份文件。")
    var backup: String

    @Flag(help: "Replace a database that is there. 覆盖已有数据库。")
    var force = false

    func act() async throws {
        let settings = try await SettingsReading(options).settings
        let directory = DataDirectory(path: settings.data, key: settings.key)
        let lock: ServerLock
        do { lock = try ServerLock(directory: settings.data) } catch is ServerLock.Taken {
            throw Failure(options, "服务器正在运行，请先停止", "the server is running; stop it first")
        }
        defer { lock.release() }
        guard force || !directory.holdsDatabase else {
            throw Failure(
                options, "\(settings.data) 里已有数据库；确要覆盖请加 --force",
                "\(settings.data) holds a database; give --force to replace it")
        }
        let restoration: ServerStore.Restoration
        do { restoration = try ServerStore.restore(backup, to: settings.data) } catch StoreError.damaged(let text) {
            throw Failure(options, "备份不可用：\(text)", "the backup cannot be used: \(text)")
        } catch StoreError.newerDatabase {
            throw Failure(
                options, "备份来自更新版本的程序，请先升级", "a later version of the program made the backup; upgrade first")
        }
        if options.json {
            printLine(
                jsonObject { writer in
                    writer.name("restored")
                    writer.string(backup)
                    if let replaced = restoration.replaced {
                        writer.name("replaced")
                        writer.string(replaced)
                    }
                    writer.name("kept_revocations")
                    writer.boolean(restoration.keptRevocations)
                })
        } else {
            options.say(
                "已恢复到备份时的内容。启动服务器后，各设备同步时会补交备份之后的修改；进度见 roostd recovery。",
                "Restored what the backup holds. Once the server runs, devices bring back what it took since as they sync; "
                    + "see roostd recovery.")
            if let replaced = restoration.replaced {
                options.say(
                    "原数据库移到了 \(replaced)，不需要时请删除。",
                    "The former database is now \(replaced); delete it when done with it.")
            }
            if !restoration.keptRevocations {
                options.say(
                    "备份之后停用的设备又能使用了，备份之后弃用或退订的端点又会收到推送，请重新停用。",
                    "Devices revoked after the backup have access again, and endpoints retired or unsubscribed after it are in "
                        + "use again; revoke and retire them anew.")
            }
            if (try? directory.key) == nil {
                options.say(
                    "请把保存的密钥放回 \(ServerKey.path(in: settings.data)) 再启动。",
                    "Put the key you kept at \(ServerKey.path(in: settings.data)) before starting.")
            }
        }
    }
}

struct SettingsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settings", abstract: "Print a configuration file with every key explained. 输出配置样例。")

    func run() async throws { print(ServerSettings.exampleFile, terminator: "") }
}
