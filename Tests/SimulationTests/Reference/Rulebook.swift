/// What the small county's fields take, told again.
enum Rulebook {
    private static let initials: [String: [String: Plain]] = [
        "student": [
            "name": .nothing, "shared": .flag(false), "minor": .flag(false), "progress": .text("open"),
            "phone": .nothing, "wechat": .nothing, "note": .nothing, "nick": .nothing,
        ],
        "membership": ["student": .nothing, "chapter": .nothing, "state": .text("active"), "post": .nothing],
        "liaison": [
            "student": .nothing, "officer": .nothing, "kind": .nothing, "state": .text("active"), "reason": .nothing,
        ],
        "touch": ["student": .nothing, "officer": .nothing, "private": .flag(false), "summary": .nothing],
        "officer": ["name": .nothing, "capacity": .nothing],
        "chapter": ["name": .nothing],
        "appointment": ["officer": .nothing, "role": .nothing, "target": .nothing, "state": .text("active")],
        "conflict": [
            "subject": .nothing, "concerned_collection": .nothing, "concerned_row": .nothing,
            "concerned_field": .nothing, "losing_value": .nothing, "losing_stamp": .nothing,
            "losing_author": .nothing, "winning_stamp": .nothing, "winning_author": .nothing,
            "state": .text("open"),
        ],
        "quarantine": [
            "subject": .nothing, "concerned_collection": .nothing, "concerned_row": .nothing, "action": .nothing,
            "proposed_values": .nothing, "author": .nothing, "made_at": .nothing, "set_aside_at": .nothing,
            "unit": .nothing, "place": .nothing, "reason": .nothing, "state": .text("pending"),
        ],
        "parallel_edit": [
            "subject": .nothing, "concerned_collection": .nothing, "concerned_row": .nothing, "noted_at": .nothing,
            "earlier_fields": .nothing, "earlier_stamp": .nothing, "earlier_author": .nothing,
            "later_fields": .nothing, "later_stamp": .nothing, "later_author": .nothing,
        ],
    ]

    /// The values of a field that only goes forward, and back only by somebody who saw it; nil for other fields.
    static func ranks(_ kind: String, _ field: String) -> [String]? {
        switch (kind, field) {
        case ("student", "progress"): ["open", "doing", "done"]
        case ("quarantine", "state"): ["pending", "declined", "accepted"]
        default: nil
        }
    }

    static func initial(_ kind: String) -> [String: Plain] { initials[kind] ?? [:] }
    static func knows(_ kind: String, _ field: String) -> Bool { initials[kind]?[field] != nil }
    static func isAppendOnly(_ kind: String) -> Bool { ["touch", "parallel_edit"].contains(kind) }
    static func isAuthoritative(_ kind: String) -> Bool {
        ["liaison", "officer", "chapter", "appointment"].contains(kind)
    }
    static func hasSubject(_ kind: String) -> Bool { ["membership", "liaison", "touch"].contains(kind) }

    static func required(_ kind: String) -> [String] {
        switch kind {
        case "student", "officer", "chapter": ["name"]
        case "membership": ["student", "chapter"]
        case "liaison": ["student", "officer", "kind"]
        case "touch": ["student", "officer"]
        case "appointment": ["officer", "role"]
        case "conflict": ["concerned_collection", "concerned_row", "concerned_field", "state"]
        default: []
        }
    }

    static func isFixed(_ kind: String, _ field: String) -> Bool {
        switch kind {
        case "membership": ["student", "chapter"].contains(field)
        case "liaison": ["student", "officer", "kind"].contains(field)
        case "appointment": ["officer", "role", "target"].contains(field)
        case "conflict", "quarantine": field == "subject"
        default: false
        }
    }

    static func group(_ kind: String, _ field: String) -> String {
        guard kind == "student" else { return "main" }
        return ["phone", "wechat"].contains(field) ? "contact" : field == "note" ? "inner" : "main"
    }

    /// Whether a value may stand in a field; unknown fields take anything.
    static func fits(_ kind: String, _ field: String, _ value: Plain) -> Bool {
        if value == .nothing { return !required(kind).contains(field) }
        switch (kind, field) {
        case ("student", "name"), ("student", "nick"), ("officer", "name"), ("chapter", "name"),
            ("membership", "post"):
            return value.text.map { $0.count <= 40 } ?? false
        case ("student", "phone"): return value.text?.hasPrefix("+") ?? false
        case ("student", "shared"), ("student", "minor"), ("touch", "private"):
            guard case .flag = value else { return false }
            return true
        case ("student", "progress"): return ["open", "doing", "done"].contains(value.text)
        case ("quarantine", "state"): return ["pending", "declined", "accepted"].contains(value.text)
        case ("conflict", "state"): return ["open", "settled"].contains(value.text)
        default: return true
        }
    }

    /// What somebody sees of a masked value: of the numbers used here the first three and last four digits; of a WeChat
    /// name nothing.
    static func mask(_ field: String, _ value: Plain) -> Plain {
        guard field == "phone", let digits = value.text?.dropFirst(3) else { return .nothing }
        return .text(digits.prefix(3) + "****" + digits.suffix(4))
    }
}
