package import RoostSchema
package import RoostStore
package import RoostSync
import Foundation

/// How values are said to people: labels for codes, names for references, dates in local time.
package struct Wording {
    private let replica: Replica
    private let lists: ReferenceLists
    package let language: Language

    package init(_ replica: Replica, lists: ReferenceLists, language: Language) {
        self.replica = replica
        self.lists = lists
        self.language = language
    }

    /// Stands for a value that is withheld until the device has synchronised.
    package var locked: String { Label("（已锁定）", "(locked)").text(language) }

    /// A value of a field; empty for none.
    package func text(_ value: Value, of field: Field) -> String {
        switch (field.kind, value) {
        case (_, .null): return ""
        case (.code(let codes), .text(let code)):
            return codes.first { $0.value == code }?.label.text(language) ?? code
        case (.boolean, .boolean(let boolean)):
            return boolean ? Label("是", "yes").text(language) : Label("否", "no").text(language)
        case (.instant, .integer(let moment)): return self.moment(Milliseconds(moment))
        case (.reference(let collection), .id(let id)): return name(of: id, in: collection)
        case (.phone, .text(let number)):
            // Mainland numbers as people write them.
            return number.hasPrefix("+86") ? String(number.dropFirst(3)) : number
        case (.openCode, .text(let code)): return lists.name(of: code) ?? code
        default: return plain(value)
        }
    }

    private func plain(_ value: Value) -> String {
        switch value {
        case .null: ""
        case .text(let text): text
        case .integer(let integer): "\(integer)"
        case .list(let list): list.map(plain).joined(separator: language == .zh ? "、" : ", ")
        case .id(let id): id.description
        case .boolean, .real, .object: String(decoding: value.json, as: UTF8.self)
        }
    }

    /// What a row is called: its name or title, else the beginning of its identity.
    package func name(of id: RowID, in collection: CollectionName) -> String {
        guard let declaration = replica.rules.catalogue[collection],
            let shown = try? replica.row(collection, id)
        else { return Label("（不在本机）", "(not on this device)").text(language) }
        for field in ["name", "title", "code"] {
            if let position = declaration.position(of: field), let text = shown.row.values[position].text {
                return text
            }
        }
        return String(id.description.prefix(8))
    }

    /// A moment to the minute, in the machine's time zone.
    package func moment(_ moment: Milliseconds) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = "yyyy-MM-dd HH:mm"
        return formatter.string(from: Date(timeIntervalSince1970: Double(moment.value) / 1000))
    }

    /// What is wrong with this device's clock, and what was done about it; empty if nothing.
    package func clock(_ offset: Int64) -> String {
        guard offset != 0 else { return "" }
        let span = Label.span(milliseconds: offset)
        return Label(
            "本机时钟\(offset > 0 ? "快" : "慢") \(span.zh)；修改已按校正后的时间记录。请校准时钟。",
            "This device's clock is \(span.en) \(offset > 0 ? "fast" : "slow"); "
                + "edits were filed at the corrected time. Set the clock right."
        ).text(language)
    }

    package func scope(_ scope: Scope) -> String {
        guard let kind = replica.rules.catalogue[scope: scope.kind] else { return scope.description }
        guard let key = scope.key, let collection = kind.key else { return kind.label.text(language) }
        return kind.label.text(language) + "·" + name(of: key, in: collection)
    }

    package func role(_ role: RoleName) -> String {
        replica.rules.catalogue[role: role]?.label.text(language) ?? role.text
    }

    package func outcome(_ outcome: Verdict.Outcome) -> String {
        let label =
            switch outcome {
            case .applied: Label("已生效", "applied")
            case .merged: Label("部分未采用", "merged")
            case .late: Label("已生效（迟到）", "late")
            case .quarantined: Label("待人处理", "quarantined")
            case .rejected: Label("被退回", "rejected")
            }
        return label.text(language)
    }

    /// Why an edit was refused, and what can be done.
    package func refusal(_ verdict: Verdict, in collection: String) -> String {
        let declaration = replica.rules.catalogue[CollectionName(collection)]
        let about = verdict.about.map { name in
            declaration?[FieldName(name)]?.label.text(language) ?? name
        }
        let label: Label =
            switch verdict.refusal {
            case .forbidden: Label("您没有修改这条记录的权限", "you may not change this record")
            case .outOfScope: Label("这条记录不在您的范围内，或已被彻底删除", "this record is not within your reach, or was erased")
            case .invalid: Label("内容不合规定", "a value does not fit")
            case .stale: Label("记录已被他人修改，请看过新内容后再改", "somebody changed it since; look at it and edit again")
            case .duplicate: Label("记录已存在", "the record exists already")
            case .gone: Label("记录已被彻底删除", "the record was erased")
            case .limit: Label("超出限额", "a limit would be exceeded")
            case .appendOnly: Label("此类记录只能追加，请另添一条更正", "such records are corrected by a new one")
            case .dependsOn: Label("同组的另一条被退回", "another edit it belongs with was refused")
            case .invalidBase: Label("依据的版本无效，请同步后重试", "its base is unknown; synchronise and try again")
            case nil: Label("", "")
            }
        var text = label.text(language)
        if let about { text += language == .zh ? "（\(about)" : " (\(about)" }
        if let problem = verdict.problem.flatMap({ FieldProblem(rawValue: $0) }) {
            text += (about == nil ? (language == .zh ? "（" : " (") : "：") + problem.advice.text(language)
            return text + (language == .zh ? "）" : ")")
        }
        return about == nil ? text : text + (language == .zh ? "）" : ")")
    }
}
