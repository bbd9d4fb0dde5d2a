import RoostSchema

extension Mutation.Mark {
    init(_ reader: inout JSONReader) throws(WireProblem) {
        var monotonic: Int64?
        var boot: String?
        try reader.object { reader, name throws(WireProblem) in
            switch name {
            case "monotonic": monotonic = try reader.integer(in: 0...maximumMoment, name)
            case "boot": boot = try reader.string()
            default: _ = try reader.value()
            }
        }
        guard let monotonic, let boot else { throw reader.problem(.missing, "mark") }
        guard boot.utf8.count <= 64 else { throw reader.problem(.outOfRange, "boot") }
        self.init(monotonic: monotonic, boot: boot)
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("monotonic")
            writer.integer(monotonic)
            writer.name("boot")
            writer.string(boot)
        }
    }
}

extension Mutation {
    package init(_ reader: inout JSONReader) throws(WireProblem) {
        var number: Int64?
        var group: Int64?
        var collection: String?
        var row: RowID?
        var action: Action?
        var time: HybridTime?
        var mark: Mark?
        var base: Stamp?
        var seen: Stamp?
        var changes: [Change] = []
        var recovered: Stamp?
        try reader.object { reader, name throws(WireProblem) in
            switch name {
            case "number": number = try reader.integer(in: 1...Int64.max, name)
            case "group": if !reader.null() { group = try reader.integer() }
            case "collection":
                let text = try reader.string()
                guard text.utf8.count <= 41 else { throw reader.problem(.outOfRange, name) }
                collection = text
            case "row": row = try reader.rowID(name)
            case "action":
                guard let known = Action(rawValue: try reader.string()) else { throw reader.problem(.outOfRange, name) }
                action = known
            case "time": time = try reader.time(name)
            case "mark": if !reader.null() { mark = try Mark(&reader) }
            case "base": if !reader.null() { base = try reader.stamp(name) }
            case "seen": if !reader.null() { seen = try reader.stamp(name) }
            case "recovered": if !reader.null() { recovered = try reader.stamp(name) }
            case "fields":
                try reader.object { reader, field throws(WireProblem) in
                    guard changes.count < maximumFields else { throw reader.problem(.outOfRange, name) }
                    // Two values under one stamp would have no order.
                    guard !changes.contains(where: { $0.field == field }) else {
                        throw reader.problem(.malformed, name)
                    }
                    changes.append(Change(field, try reader.value()))
                }
            default: _ = try reader.value()
            }
        }
        guard let number else { throw reader.problem(.missing, "number") }
        guard let collection else { throw reader.problem(.missing, "collection") }
        guard let row else { throw reader.problem(.missing, "row") }
        guard let action else { throw reader.problem(.missing, "action") }
        guard let time else { throw reader.problem(.missing, "time") }
        self.init(
            number: number, group: group, collection: collection, row: row, action: action, time: time, mark: mark,
            base: base, seen: seen, changes: changes, recovered: recovered)
    }

    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("number")
            writer.integer(number)
            if let group {
                writer.name("group")
                writer.integer(group)
            }
            writer.name("collection")
            writer.string(collection)
            writer.name("row")
            writer.id(row)
            writer.name("action")
            writer.plain(action.rawValue)
            writer.name("time")
            writer.time(time)
            if let mark {
                writer.name("mark")
                mark.write(to: &writer)
            }
            if let base {
                writer.name("base")
                writer.stamp(base)
            }
            if let seen {
                writer.name("seen")
                writer.stamp(seen)
            }
            if let recovered {
                writer.name("recovered")
                writer.stamp(recovered)
            }
            guard !changes.isEmpty else { return }
            writer.name("fields")
            writer.object { writer in
                for change in changes {
                    writer.name(escaping: change.field)
                    writer.value(change.value)
                }
            }
        }
    }
}

/// More fields than any row has; keeps the search for a name that stands twice from growing with the body.
private let maximumFields = 512
