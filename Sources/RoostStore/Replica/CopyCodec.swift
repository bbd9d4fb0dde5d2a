import RoostSchema
import RoostSync

extension WireRow {
    /// The form in which a replica keeps a row: that of the wire.
    var json: [UInt8] {
        var writer = JSONWriter(reserving: 128 + fields.count * 48)
        writer.object { writer in
            writer.name("collection")
            writer.string(collection)
            writer.name("row")
            writer.id(row)
            writer.name("sequence")
            writer.integer(sequence.value)
            writer.name("stamp")
            writer.stamp(stamp)
            if let deleted {
                writer.name("deleted")
                writer.stamp(deleted)
            }
            if let version {
                writer.name("version")
                writer.stamp(version)
            }
            if !fields.isEmpty {
                writer.name("fields")
                writer.object { writer in
                    for change in fields {
                        writer.name(escaping: change.field)
                        writer.value(change.value)
                    }
                }
            }
            if !stamps.isEmpty {
                writer.name("stamps")
                writer.object { writer in
                    for (field, stamp) in stamps.sorted(by: { $0.key < $1.key }) {
                        writer.name(escaping: field)
                        writer.stamp(stamp)
                    }
                }
            }
            if !masked.isEmpty {
                writer.name("masked")
                writer.array { writer in for field in masked { writer.string(field) } }
            }
        }
        return writer.bytes
    }

    init(stored json: [UInt8]) throws(WireProblem) {
        var reader = JSONReader(json)
        try self.init(&reader)
    }
}

extension Mutation {
    /// The form in which it is sent, and kept so that a retry sends the same bytes.
    var json: [UInt8] {
        var writer = JSONWriter(reserving: 256)
        write(to: &writer)
        return writer.bytes
    }

    init(stored json: [UInt8]) throws(WireProblem) {
        var reader = JSONReader(json)
        try self.init(&reader)
    }
}

extension Verdict {
    init(stored json: [UInt8]) throws(WireProblem) {
        var reader = JSONReader(json)
        try self.init(&reader)
    }
}
