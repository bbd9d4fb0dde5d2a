import RoostSchema

extension ExchangeAnswer {
    package init(json: [UInt8]) throws(WireProblem) {
        var reader = JSONReader(json)
        var version: Int64?
        var answer = ExchangeAnswer(now: Milliseconds(0), epoch: "", offset: 0, expected: 0)
        try reader.object { reader, name throws(WireProblem) in
            switch name {
            case "protocol": version = try reader.integer()
            case "now": answer.now = Milliseconds(try reader.integer())
            case "epoch": answer.epoch = try reader.string()
            case "run": answer.run = try reader.run(name)
            case "offset": answer.offset = try reader.integer()
            case "expected": answer.expected = try reader.integer()
            case "verdicts":
                try reader.array { reader throws(WireProblem) in answer.verdicts.append(try Verdict(&reader)) }
            case "lost":
                try reader.array { reader throws(WireProblem) in answer.lost.append(try reader.scope("lost")) }
            case "scopes":
                try reader.array { reader throws(WireProblem) in answer.scopes.append(try ScopePage(&reader)) }
            case "surrendered":
                try reader.array { reader throws(WireProblem) in
                    answer.surrendered.append(try Surrender.Name(&reader))
                }
            case "purged": answer.purged = try reader.boolean()
            case "owed": answer.owed = try reader.boolean()
            case "known": answer.known = try KnownProgress(&reader)
            case "copied": answer.copied = try reader.boolean()
            default: _ = try reader.value()
            }
        }
        try reader.end()
        guard version == protocolVersion else {
            throw reader.problem(version == nil ? .missing : .unsupportedVersion, "protocol")
        }
        guard answer.expected > 0 else { throw reader.problem(.missing, "expected") }
        self = answer
    }
}

extension Surrender.Name {
    init(_ reader: inout JSONReader) throws(WireProblem) {
        let progress = try KnownProgress(&reader)
        self.init(incarnation: progress.incarnation, number: progress.number)
    }

    package func write(to writer: inout JSONWriter) {
        KnownProgress(incarnation: incarnation, number: number).write(to: &writer)
    }
}

extension KnownProgress {
    init(_ reader: inout JSONReader) throws(WireProblem) {
        var incarnation: Int64 = 1
        var number: Int64?
        try reader.object { reader, name throws(WireProblem) in
            switch name {
            case "incarnation": incarnation = try reader.integer()
            case "number": number = try reader.integer()
            default: _ = try reader.value()
            }
        }
        guard let number else { throw reader.problem(.missing, "number") }
        self.init(incarnation: incarnation, number: number)
    }

    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("incarnation")
            writer.integer(incarnation)
            writer.name("number")
            writer.integer(number)
        }
    }
}

extension Verdict {
    package init(_ reader: inout JSONReader) throws(WireProblem) {
        var number: Int64?
        var outcome: Outcome?
        var stamp: Stamp?
        var lost: [String] = []
        var refusal: Refusal?
        var about: String?
        var problem: String?
        var deleted = false
        try reader.object { reader, name throws(WireProblem) in
            switch name {
            case "number": number = try reader.integer()
            case "verdict":
                guard let known = Outcome(rawValue: try reader.string()) else {
                    throw reader.problem(.outOfRange, name)
                }
                outcome = known
            case "stamp": stamp = try reader.stamp(name)
            case "lost":
                try reader.array { reader throws(WireProblem) in lost.append(try reader.string()) }
            case "code":
                guard let known = Refusal(rawValue: try reader.string()) else {
                    throw reader.problem(.outOfRange, name)
                }
                refusal = known
            case "about": about = try reader.string()
            case "problem": problem = try reader.string()
            case "deleted": deleted = try reader.boolean()
            default: _ = try reader.value()
            }
        }
        guard let number else { throw reader.problem(.missing, "number") }
        guard let outcome else { throw reader.problem(.missing, "verdict") }
        self.init(
            number: number, outcome: outcome, stamp: stamp, lost: lost, refusal: refusal, about: about,
            problem: problem, deleted: deleted)
    }

    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("number")
            writer.integer(number)
            writer.name("verdict")
            writer.plain(outcome.rawValue)
            if let stamp {
                writer.name("stamp")
                writer.stamp(stamp)
            }
            if !lost.isEmpty {
                writer.name("lost")
                writer.array { writer in for field in lost { writer.string(field) } }
            }
            if let refusal {
                writer.name("code")
                writer.plain(refusal.rawValue)
            }
            if let about {
                writer.name("about")
                writer.string(about)
            }
            if let problem {
                writer.name("problem")
                writer.plain(problem)
            }
            if deleted {
                writer.name("deleted")
                writer.boolean(true)
            }
        }
    }

    /// The stored and sent form; a repeat of a mutation gets these bytes again.
    package var json: [UInt8] {
        var writer = JSONWriter(reserving: 128)
        write(to: &writer)
        return writer.bytes
    }
}

extension ScopePage {
    init(_ reader: inout JSONReader) throws(WireProblem) {
        var scope: Scope?
        var page = ScopePage(
            scope: Scope("none"), epoch: 0, cursor: .zero, more: false, rows: [], left: [])
        try reader.object { reader, name throws(WireProblem) in
            switch name {
            case "scope": scope = try reader.scope(name)
            case "epoch": page.epoch = try reader.integer()
            case "cursor": page.cursor = ServerSequence(try reader.integer())
            case "more": page.more = try reader.boolean()
            case "rows":
                try reader.array { reader throws(WireProblem) in page.rows.append(try WireRow(&reader)) }
            case "left":
                try reader.array { reader throws(WireProblem) in page.left.append(try Departure(&reader)) }
            case "must_resnapshot": page.mustResnapshot = try reader.boolean()
            case "snapshot": page.snapshot = try SnapshotOffer(&reader)
            case "wait": page.wait = try reader.integer()
            default: _ = try reader.value()
            }
        }
        guard let scope else { throw reader.problem(.missing, "scope") }
        page.scope = scope
        self = page
    }
}

extension ScopePage.Departure {
    init(_ reader: inout JSONReader) throws(WireProblem) {
        var collection: String?
        var row: RowID?
        try reader.object { reader, name throws(WireProblem) in
            switch name {
            case "collection": collection = try reader.string()
            case "row": row = try reader.rowID(name)
            default: _ = try reader.value()
            }
        }
        guard let collection, let row else { throw reader.problem(.missing, "left") }
        self.init(collection: collection, row: row)
    }

    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("collection")
            writer.string(collection)
            writer.name("row")
            writer.id(row)
        }
    }
}

extension WireRow {
    package init(_ reader: inout JSONReader) throws(WireProblem) {
        var collection: String?
        var row: RowID?
        var sequence: Int64 = 0
        var stamp: Stamp?
        var fields: [Mutation.Change] = []
        var stamps: [String: Stamp] = [:]
        var masked: [String] = []
        var deleted: Stamp?
        var version: Stamp?
        try reader.object { reader, name throws(WireProblem) in
            switch name {
            case "collection": collection = try reader.string()
            case "row": row = try reader.rowID(name)
            case "sequence": sequence = try reader.integer()
            case "stamp": stamp = try reader.stamp(name)
            case "fields":
                try reader.object { reader, field throws(WireProblem) in
                    fields.append(Mutation.Change(field, try reader.value()))
                }
            case "stamps":
                try reader.object { reader, field throws(WireProblem) in stamps[field] = try reader.stamp(field) }
            case "masked":
                try reader.array { reader throws(WireProblem) in masked.append(try reader.string()) }
            case "deleted": deleted = try reader.stamp(name)
            case "version": version = try reader.stamp(name)
            default: _ = try reader.value()
            }
        }
        guard let collection, let row, let stamp else { throw reader.problem(.missing, "row") }
        self.init(
            collection: collection, row: row, sequence: ServerSequence(sequence), stamp: stamp, fields: fields,
            stamps: stamps, masked: masked, deleted: deleted, version: version)
    }
}
