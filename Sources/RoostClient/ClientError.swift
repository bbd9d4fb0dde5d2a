package import RoostAPI
package import RoostSchema
package import RoostSheets
package import RoostStore

/// Why something the person asked for was not done; says what to do in the person's language.
package enum ClientError: Error, Hashable, Sendable {
    case notEnrolled
    case alreadyEnrolled(server: String)
    case invalidServer
    /// The server was not reached; the reason is the transport's stable code.
    case unreachable(reason: String)
    case refused(ServerRefusal)
    case badAnswer
    case serverLostHistory
    case replicaCopied
    /// Contact details are locked until the device has synchronised.
    case leaseOver(days: Int)
    /// The device may come no more and was wiped, but for so many edits that nobody else has.
    case deviceRevoked(kept: Int)
    case groupTooLarge
    case newerDatabase
    case damaged(String)
    case busy
    /// Another process exchanges for this device and does not come to an end.
    case synchronising
    /// The database cannot be opened or written; SQLite's result code.
    case unusable(Int)

    case unknownCollection(String, known: [Label])
    case unknownField(String)
    case ambiguousField(String)
    case derivedField(Label)
    case hiddenField(Label)
    case fixedField(Label)
    /// Locked until the device has synchronised.
    case lockedField(Label)
    case invalidValue(Label, advice: Label)
    case unknownName(Label, words: String)
    case required(Label)
    case malformedAssignment(String)
    case nothingToChange
    case noSuchRow(String)
    case ambiguousRow(String, matches: Int)
    case noSuchEntry(String)
    case ambiguousEntry(String, matches: Int)
    case cannotCreate
    case sheet(SheetError)
    case unreadableFile(String)
    case unwritableFile(String)
    case unknownTemplate(String)
    case notAllowed

    /// What the server said when it refused a request as a whole.
    package struct ServerRefusal: Hashable, Sendable {
        package let status: Int
        /// Nil for a code of a later server.
        package let code: APIErrorCode?
        package let message: Label
        package let reason: String?
        package let requestID: String?

        package init(status: Int, code: APIErrorCode?, message: Label, reason: String?, requestID: String?) {
            self.status = status
            self.code = code
            self.message = message
            self.reason = reason
            self.requestID = requestID
        }
    }

    /// The stable name of the error, for `--json`.
    package var code: String {
        switch self {
        case .notEnrolled: "not_enrolled"
        case .alreadyEnrolled: "already_enrolled"
        case .invalidServer: "invalid_server"
        case .unreachable(let reason): "unreachable_" + reason
        case .refused(let refusal): refusal.reason ?? refusal.code?.rawValue ?? "refused"
        case .badAnswer: "bad_answer"
        case .serverLostHistory: "server_lost_history"
        case .replicaCopied: "replica_copied"
        case .deviceRevoked: "device_revoked"
        case .leaseOver: "lease_over"
        case .groupTooLarge: "group_too_large"
        case .newerDatabase: "newer_database"
        case .damaged: "damaged"
        case .busy: "busy"
        case .synchronising: "synchronising"
        case .unusable: "unusable_database"
        case .unknownCollection: "unknown_collection"
        case .unknownField: "unknown_field"
        case .ambiguousField: "ambiguous_field"
        case .derivedField: "derived_field"
        case .hiddenField: "hidden_field"
        case .fixedField: "fixed_field"
        case .lockedField: "locked_field"
        case .invalidValue: "invalid_value"
        case .unknownName: "unknown_name"
        case .required: "required"
        case .malformedAssignment: "malformed_assignment"
        case .nothingToChange: "nothing_to_change"
        case .noSuchRow: "no_such_row"
        case .ambiguousRow: "ambiguous_row"
        case .noSuchEntry: "no_such_entry"
        case .ambiguousEntry: "ambiguous_entry"
        case .cannotCreate: "cannot_create"
        case .sheet(let error): error.code
        case .unreadableFile: "unreadable_file"
        case .unwritableFile: "unwritable_file"
        case .unknownTemplate: "unknown_template"
        case .notAllowed: "not_allowed"
        }
    }

    /// Exit status of the command line: 2 for what the person can correct, 3 for the network, 4 for the server's no.
    package var exitStatus: Int32 {
        switch self {
        case .unreachable: 3
        case .refused(let refusal): refusal.status >= 500 ? 3 : 4
        case .badAnswer: 3
        case .serverLostHistory, .replicaCopied, .deviceRevoked, .leaseOver, .groupTooLarge, .notAllowed: 4
        case .newerDatabase, .damaged, .busy, .synchronising, .unusable: 1
        default: 2
        }
    }

    /// What happened, and what to do.
    package var message: Label {
        switch self {
        case .notEnrolled:
            Label("本机尚未登记。请运行：roost enrol 服务器地址 登记码", "This device is not enrolled. Run: roost enrol URL CODE")
        case .alreadyEnrolled(let server):
            Label(
                "本机已在 \(server) 登记。在别的服务器登记，请用 --data 指定另一个目录。",
                "This device is enrolled at \(server). To enrol at another server, name another folder with --data.")
        case .invalidServer:
            Label(
                "服务器地址应为 https://… 或 http://…，不含用户名。",
                "The server's address is https://… or http://…, without a user name.")
        case .unreachable(let reason):
            Label(
                "连不上服务器（\(reason)）。您的修改都已保存在本机，联网后再运行 roost sync。",
                "The server cannot be reached (\(reason)). Your edits are kept on this device; run roost sync later.")
        case .refused(let refusal): refusal.advice
        case .badAnswer:
            Label(
                "服务器的回答无法读懂，可能地址不对或版本不符。修改都已保存在本机。",
                "The server's answer makes no sense: a wrong address or version? Your edits are kept on this device.")
        case .serverLostHistory:
            Label(
                "服务器缺少它已确认的修改，又不知道自己丢失了历史。本机的修改全部保留；请联系管理员。",
                "The server lacks edits it had confirmed and knows of no loss. Everything is kept here; "
                    + "tell the administrator.")
        case .replicaCopied:
            Label(
                "本机数据库的另一份拷贝也在使用。待发修改全部保留：请索取登记码，运行 roost enrol 服务器地址 登记码，本机即成为独立的设备。",
                "Another copy of this device's database is in use. Pending edits are kept: ask for a code and run "
                    + "roost enrol URL CODE, which makes this one a device of its own.")
        case .deviceRevoked(let kept):
            kept == 0
                ? Label(
                    "本机已被停用，从服务器取得的记录已全部清除。如需继续使用，请索取登记码，运行 roost enrol 服务器地址 登记码。",
                    "This device was revoked; all it had from the server is wiped. To go on, ask for a code and run "
                        + "roost enrol URL CODE.")
                : Label(
                    "本机已被停用，从服务器取得的记录已全部清除；您写下而服务器没有收下的 \(kept) 条修改仍在本机。导出：roost rejected export 文件名；"
                        + "重新登记（roost enrol 服务器地址 登记码）后，未发送的会照常提交。",
                    "This device was revoked; all it had from the server is wiped. What you wrote and the server never "
                        + "took is kept (\(kept)): run roost rejected export FILE to write it out, or enrol again "
                        + "(roost enrol URL CODE) and what was never sent goes out as usual.")
        case .leaseOver(let days):
            Label(
                "本机超过 \(days) 天没有与服务器联系，联系方式已锁定。运行 roost sync 即可解锁。",
                "This device was out of contact for more than \(days) days, so contact details are locked. "
                    + "Run roost sync to unlock them.")
        case .groupTooLarge:
            Label(
                "有一组必须一起生效的修改超过服务器一次可接收的数量，无法提交；其余数据照常接收。请分成几次操作；"
                    + "若已保存在本机待发送，请管理员调高 limits.mutations 或 limits.body_bytes 后再运行 roost sync。",
                "Edits that must take effect together are more than the server takes at once and cannot be sent; all else "
                    + "is received as usual. Make them in several steps; if they wait on this device already, ask the "
                    + "operator to raise limits.mutations or limits.body_bytes, then run roost sync again.")
        case .newerDatabase:
            Label("本机数据库由更新版本的程序写成，请升级。", "The database was written by a later version; upgrade this program.")
        case .damaged(let detail):
            Label("本机数据库损坏（\(detail)）。", "The device's database is damaged (\(detail)).")
        case .busy:
            Label("另一个 roost 正在使用本机数据库，请稍后再试。", "Another roost is using the database; try again in a moment.")
        case .synchronising:
            Label(
                "另一个 roost sync 正在同步，请等它结束。", "Another roost sync is at work on this device; wait for it to end.")
        case .unusable(let code):
            Label(
                "无法打开或写入本机数据库（SQLite \(code)）：请检查目录权限和磁盘空间。",
                "The device's database cannot be opened or written (SQLite \(code)): check permissions and free space.")
        case .unknownCollection(let words, let known):
            Label(
                "没有“\(words)”这类记录。可选：\(known.map(\.zh).joined(separator: "、"))",
                "There are no records called “\(words)”. There are: \(known.map(\.en).joined(separator: ", "))")
        case .unknownField(let name):
            Label("没有名为“\(name)”的字段。", "There is no field “\(name)”.")
        case .ambiguousField(let name):
            Label("“\(name)”可以指几个字段，请用英文字段名。", "“\(name)” could be several fields; use the field's name.")
        case .derivedField(let label):
            Label("“\(label.zh)”由系统推算，不能直接填写。", "“\(label.en)” is derived by the server and cannot be written.")
        case .hiddenField(let label):
            Label("您的权限看不到“\(label.zh)”，不能修改。", "You cannot see “\(label.en)”, so you cannot change it.")
        case .fixedField(let label):
            Label("“\(label.zh)”在建立之后不能修改。", "“\(label.en)” cannot be changed after creation.")
        case .lockedField(let label):
            Label(
                "“\(label.zh)”已锁定：本机太久没有同步。请先运行 roost sync。",
                "“\(label.en)” is locked because this device has not synchronised for long. Run roost sync first.")
        case .invalidValue(let label, let advice):
            Label("“\(label.zh)”：\(advice.zh)。", "“\(label.en)” \(advice.en).")
        case .unknownName(let label, let words):
            Label("“\(label.zh)”：名录中没有“\(words)”。", "“\(label.en)”: “\(words)” is in no list.")
        case .required(let label): Label("“\(label.zh)”必须填写。", "“\(label.en)” is required.")
        case .malformedAssignment(let text):
            Label("“\(text)”应写成 字段=值。", "“\(text)” should be written field=value.")
        case .nothingToChange: Label("没有任何变化。", "Nothing would change.")
        case .noSuchRow(let text): Label("找不到“\(text)”。", "“\(text)” was not found.")
        case .ambiguousRow(let text, let matches):
            Label("“\(text)”对应 \(matches) 人，请用编号。", "“\(text)” matches \(matches) people; use the id.")
        case .noSuchEntry(let text): Label("没有编号为 \(text) 的条目。", "There is no entry \(text).")
        case .ambiguousEntry(let text, let matches):
            Label("“\(text)”对应 \(matches) 条，请把编号写全。", "“\(text)” matches \(matches) entries; write more of the id.")
        case .cannotCreate: Label("您的角色不能新增学生。", "Your role cannot add students.")
        case .sheet(let error): error.message
        case .unreadableFile(let name): Label("无法读取文件 \(name)。", "The file \(name) cannot be read.")
        case .unwritableFile(let name): Label("无法写入文件 \(name)。", "The file \(name) cannot be written.")
        case .unknownTemplate(let name): Label("没有名为“\(name)”的模板。", "There is no template “\(name)”.")
        case .notAllowed: Label("您的角色没有这项权限。", "Your role does not have this right.")
        }
    }
}

extension ClientError.ServerRefusal {
    /// The client's words for the code; the server's where it knows better or the code is new.
    fileprivate var advice: Label {
        let trace = requestID.map { " [\($0)]" } ?? ""
        if reason != nil { return Label(message.zh + trace, message.en + trace) }
        let known: Label? =
            switch code {
            case .unauthorized:
                Label(
                    "服务器不认识本机。请索取登记码，运行 roost enrol 服务器地址 登记码；本机的数据和修改都会保留。",
                    "The server does not know this device. Ask for a code and run roost enrol URL CODE; data and edits stay."
                )
            case .deviceRevoked:
                Label("本机已被停用。请联系管理员重新登记。", "This device was revoked. Ask the administrator for a new enrolment code.")
            case .codeInvalid:
                Label(
                    "登记码无效、已使用或已过期（10 分钟）。请索取新的登记码。",
                    "The code is unknown, used or expired (10 minutes). Ask for a new one.")
            // What the server says in both languages names whose work it is.
            case .forbidden where message.zh == message.en: Label("您没有这项权限。", "You may not do this.")
            case .notFound: Label("服务器上没有这一项。", "The server has no such thing.")
            case .rateLimited: Label("请求过于频繁，请稍后再试。", "Too many requests; try again in a moment.")
            case .bodyTooLarge, .tooManyMutations: Label("一次发送的内容过多。", "Too much was sent at once.")
            case .unsupportedVersion: Label("服务器不支持本程序的版本，请升级。", "The server does not support this version; upgrade.")
            case .timeout:
                Label(
                    "网络太慢或服务器太忙，没有及时传完。修改都已保存在本机，请稍后或换个网络再试。",
                    "The line is too slow or the server too busy: it did not arrive in time. Your edits are kept on this "
                        + "device; try again later or on another network.")
            case .unavailable: Label("服务器暂时无法处理，请稍后再试。", "The server cannot answer now; try again later.")
            case .internalError: Label("服务器内部错误，请告知管理员。", "The server failed; tell the administrator.")
            default: nil
            }
        let words = known ?? message
        return Label(words.zh + trace, words.en + trace)
    }
}

extension ClientError {
    /// The person's words for what the store refused.
    package init(_ error: ReplicaError) {
        switch error {
        case .absent: self = .notEnrolled
        case .alreadyEnrolled(let server): self = .alreadyEnrolled(server: server)
        case .newerDatabase: self = .newerDatabase
        case .damaged(let detail): self = .damaged(detail)
        case .undeclared(let name): self = .unknownField(name)
        case .busy: self = .busy
        case .unusable(let code): self = .unusable(code)
        }
    }
}
