/// A file with everything a scope shows, as of one sequence.
package struct SnapshotOffer: Hashable, Sendable {
    /// The SHA-256 of the file, in hexadecimal digits.
    package let id: String
    /// What the replica has of the scope's feed once the file is applied.
    package let sequence: ServerSequence
    package let rows: Int
    /// Bytes of the file.
    package let bytes: Int
    /// Bytes of the file inflated.
    package let size: Int

    package init(id: String, sequence: ServerSequence, rows: Int, bytes: Int, size: Int) {
        self.id = id
        self.sequence = sequence
        self.rows = rows
        self.bytes = bytes
        self.size = size
    }

    /// Whether the identity is one, so that it can be part of a path.
    package var isWellFormed: Bool {
        id.utf8.count == 64 && id.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
            && rows >= 0 && bytes > 0 && size >= 0 && sequence.value >= 0
    }
}

extension SnapshotOffer {
    init(_ reader: inout JSONReader) throws(WireProblem) {
        var id = ""
        var (sequence, rows, bytes, size): (Int64, Int64, Int64, Int64) = (-1, -1, -1, -1)
        try reader.object { reader, name throws(WireProblem) in
            switch name {
            case "id": id = try reader.string()
            case "sequence": sequence = try reader.integer()
            case "rows": rows = try reader.integer()
            case "bytes": bytes = try reader.integer()
            case "size": size = try reader.integer()
            default: _ = try reader.value()
            }
        }
        self.init(id: id, sequence: ServerSequence(sequence), rows: Int(rows), bytes: Int(bytes), size: Int(size))
        guard isWellFormed else { throw reader.problem(.outOfRange, "snapshot") }
    }

    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("id")
            writer.plain(id)
            writer.name("sequence")
            writer.integer(sequence.value)
            writer.name("rows")
            writer.integer(Int64(rows))
            writer.name("bytes")
            writer.integer(Int64(bytes))
            writer.name("size")
            writer.integer(Int64(size))
        }
    }
}
