import ArgumentParser
import Foundation
import RoostSchema
import RoostServer
import RoostStore
import RoostSync

/// Opens the store of an existing data directory for a command beside a running server.
func accountDesk(_ options: CommonOptions) async throws -> AccountDesk {
    let (settings, directory) = try await options.dataThatIsThere()
    let (store, key) = try directory.open(isServing: false)
    return AccountDesk(store: store, key: key, codeMinutes: settings.enrolmentMinutes)
}

struct EnrolCode: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "enrol-code", abstract: "Make a one-time code for an officer. 为人员生成登记码。")

    @OptionGroup var options: CommonOptions

    @Argument(help: "The officer's row identity, or name if it is unique. 人员编号或姓名。")
    var officer: String

    func act() async throws {
        let desk = try await accountDesk(options)
        let found = try await desk.officers(matching: officer)
        guard let only = found.first, found.count == 1 else {
            throw Failure(
                options, found.isEmpty ? "没有这个人员" : "不止一人叫这个名字，请用编号（见 roostd account list）",
                found.isEmpty
                    ? "no such officer" : "several officers have this name; use the identity (roostd account list)")
        }
        let (code, _) = try await desk.makeCode(for: only.id, madeBy: nil)
        if options.json {
            printLine(
                jsonObject { writer in
                    writer.name("officer")
                    writer.id(only.id)
                    writer.name("code")
                    writer.plain(code.text)
                    writer.name("minutes")
                    writer.integer(Int64(desk.codeMinutes))
                })
        } else {
            print(code.text)
            options.say("\(desk.codeMinutes) 分钟内有效，只能用一次。", "Good once, for \(desk.codeMinutes) minutes.")
        }
    }
}

struct Account: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Officers, and ending a device's access. 人员与停用设备。",
        subcommands: [List.self, Add.self, RevokeDevice.self])

    struct List: OperatorCommand {
        static let configuration = CommandConfiguration(abstract: "List officers. 列出人员。")

        @OptionGroup var options: CommonOptions

        func act() async throws {
            let officers = try await accountDesk(options).officers(matching: nil)
            if options.json {
                printLine(
                    jsonObject { writer in
                        writer.name("officers")
                        writer.array { writer in
                            for officer in officers {
                                writer.object { writer in
                                    writer.name("officer")
                                    writer.id(officer.id)
                                    writer.name("name")
                                    writer.string(officer.name)
                                    writer.name("roles")
                                    writer.array { writer in for role in officer.roles { writer.plain(role.text) } }
                                }
                            }
                        }
                    })
            } else {
                for officer in officers {
                    print("\(officer.id)  \(officer.name)  \(officer.roles.map(\.text).joined(separator: " "))")
                }
            }
        }
    }

    struct Add: OperatorCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add an officer with a role, say the first administrator. 新增人员并授权。")

        @OptionGroup var options: CommonOptions

        @Option(help: "Name. 姓名。")
        var name: String

        @Option(help: "Role, such as admin or registrar. 角色。")
        var role: String

        @Option(help: "Unit. 单位。")
        var unit: String?

        @Option(help: "Row identity of the chapter a coordinator answers for. 分部编号。")
        var target: String?

        func act() async throws {
            let desk = try await accountDesk(options)
            let role = RoleName(role)
            guard let declared = desk.store.rules.catalogue[role: role] else {
                let names = desk.store.rules.catalogue.roles.map(\.name.text).joined(separator: " ")
                throw Failure(options, "没有这个角色；有：\(names)", "no such role; there are: \(names)")
            }
            let chapter = target.flatMap { RowID($0) }
            let needsTarget = declared.holds.contains { if case .target = $0 { true } else { false } }
            guard needsTarget == (chapter != nil) else {
                throw Failure(
                    options, needsTarget ? "这个角色要用 --target 指定分部编号" : "这个角色不带 --target",
                    needsTarget ? "this role needs --target with a chapter's identity" : "this role takes no --target")
            }
            let officer = try await desk.addOfficer(name: name, unit: unit, role: role, target: chapter)
            if options.json {
                printLine(
                    jsonObject { writer in
                        writer.name("officer")
                        writer.id(officer)
                    })
            } else {
                options.say(
                    "已新增 \(officer)。登记码：roostd enrol-code \(officer)",
                    "Added \(officer). Next: roostd enrol-code \(officer)")
            }
        }
    }

    struct RevokeDevice: OperatorCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke-device", abstract: "End a device's access for good. 停用设备。")

        @OptionGroup var options: CommonOptions

        @Argument(help: "Sixteen digits, as roostd devices lists them. 设备编号。")
        var replica: String

        func act() async throws {
            guard let replica = ReplicaID(replica) else {
                throw Failure(options, "设备编号是 16 位十六进制数字", "a device is sixteen hexadecimal digits")
            }
            do { try await accountDesk(options).store.revoke(replica) } catch AccountError.unknownReplica {
                throw Failure(options, "没有这个设备", "no such device")
            }
            if options.json {
                printLine(
                    jsonObject { writer in
                        writer.name("revoked")
                        writer.plain(replica.description)
                    })
            } else {
                options.say("已停用。", "Revoked.")
            }
        }
    }
}
