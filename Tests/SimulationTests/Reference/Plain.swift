// The reference model's own words. Nothing here comes from the product: values, stamps and rows are told again in the
// plainest types there are, so that a mistake in the product's types cannot hide in the model.

/// A value.
indirect enum Plain: Hashable, CustomStringConvertible {
    case nothing
    case flag(Bool)
    case number(Int64)
    case text(String)
    case list([Plain])

    var description: String {
        switch self {
        case .nothing: "–"
        case .flag(let flag): "\(flag)"
        case .number(let number): "\(number)"
        case .text(let text): "‘\(text)’"
        case .list(let list): "\(list)"
        }
    }

    var text: String? { if case .text(let text) = self { text } else { nil } }
}

/// A hybrid time (milliseconds in the upper 48 bits) and who set it.
struct Dated: Hashable, Comparable, CustomStringConvertible {
    let time: UInt64
    let by: UInt64

    static func < (left: Self, right: Self) -> Bool {
        left.time == right.time ? left.by < right.by : left.time < right.time
    }

    /// Milliseconds, counter and author, for people.
    var description: String { "\(time >> 16)+\(time & 0xFFFF)@\(String(by, radix: 16))" }
}

/// Which row.
struct Place: Hashable, Comparable, CustomStringConvertible {
    let kind: String
    let id: String

    var description: String { "\(kind)/\(kind == "conflict" ? id : String(id.suffix(4)))" }

    static func < (left: Self, right: Self) -> Bool {
        left.kind == right.kind ? left.id < right.id : left.kind < right.kind
    }
}

/// A row: each field with its stamp.
struct Record: Hashable {
    struct Cell: Hashable {
        var value: Plain
        var stamp: Dated
    }

    var cells: [String: Cell]
    var isDeleted = false
    var deletion: Dated

    func value(_ field: String) -> Plain { cells[field]?.value ?? .nothing }
    func id(_ field: String) -> String? { value(field).text }

    /// What an edit of an authoritative row must have seen.
    var version: Dated { cells.values.reduce(deletion) { max($0, $1.stamp) } }
}

/// An edit as it was made.
struct PlainEdit: Hashable {
    enum Action: String { case create, edit, delete, restore }

    struct Mark: Hashable {
        let monotonic: Int64
        let boot: String
    }

    let number: Int64
    let group: Int64?
    var place: Place
    let action: Action
    let time: UInt64
    let mark: Mark?
    let base: Dated?
    /// The greatest stamp its author saw in the row.
    let seen: Dated?
    /// In the order they were written.
    var changes: [(field: String, value: Plain)]
    /// What the row is called that keeps the edit if it is set aside.
    let asideID: String

    static func == (left: Self, right: Self) -> Bool {
        left.number == right.number && left.place == right.place && left.action == right.action
            && left.time == right.time && left.base == right.base
            && left.changes.map(\.field) == right.changes.map(\.field)
            && left.changes.map(\.value) == right.changes.map(\.value)
    }

    func hash(into hasher: inout Hasher) { hasher.combine(number) }
}

/// A push as it arrived.
struct PlainPush {
    let replica: UInt64
    let incarnation: Int64
    /// The server's clock.
    let now: Int64
    /// The device's clock.
    let deviceNow: Int64
    let mark: PlainEdit.Mark?
    /// When the steady clocks of earlier boots read 0, by the server's clock.
    let boots: [String: Int64]
    let edits: [PlainEdit]
    /// Refused edits of rows that left, with the incarnation under which they were refused.
    let surrendered: [(incarnation: Int64, edit: PlainEdit)]
}

/// What became of an edit.
struct PlainVerdict: Hashable, CustomStringConvertible {
    var number: Int64
    var outcome: String
    var stamp: Dated?
    var lost: Set<String> = []
    var code: String?
    var isDeleted = false

    var description: String {
        "#\(number) \(outcome)\(code.map { " \($0)" } ?? "")\(lost.isEmpty ? "" : " lost \(lost.sorted())")"
            + (isDeleted ? " (deleted)" : "") + (stamp.map { " \($0)" } ?? "")
    }
}
