package import RoostSchema

/// A row that can be shown: decoded, or still in the columns it is stored in.
///
/// What is shown to thousands of replicas is written from the columns without becoming values on the way, which takes
/// half the time.
package protocol ProjectableRow {
    var key: RowKey { get }
    var sequence: ServerSequence { get }
    var stamp: Stamp { get }
    var isDeleted: Bool { get }
    var deletion: Stamp { get }
    var overrides: [Row.Override] { get }
    /// Stamps of fields unknown to this catalogue that differ from the row's.
    var unknownStamps: [(name: String, stamp: Stamp)] { get }
    func isNull(_ position: Int) -> Bool
    func value(_ position: Int) -> Value
    /// Appends the value at a position, which is not null.
    func writeValue(_ position: Int, to writer: inout JSONWriter)
    /// Appends names and values of fields unknown to this catalogue.
    func writeUnknown(to writer: inout JSONWriter)
    /// The row in values.
    var decoded: Row { get }
}

extension Row: ProjectableRow {
    package var unknownStamps: [(name: String, stamp: Stamp)] {
        unknown.lazy.filter { $0.stamp != stamp }.map { ($0.name, $0.stamp) }
    }
    package func isNull(_ position: Int) -> Bool { values[position].isNull }
    package func value(_ position: Int) -> Value { values[position] }
    package func writeValue(_ position: Int, to writer: inout JSONWriter) { writer.value(values[position]) }
    package func writeUnknown(to writer: inout JSONWriter) {
        for field in unknown {
            writer.name(escaping: field.name)
            writer.value(field.value)
        }
    }
    package var decoded: Row { self }
}

/// Writes rows as a scope shows them.
package struct Projection: Sendable {
    private let rules: Rules
    /// `"name":` of each field, by collection and position.
    private let names: [[[UInt8]]]

    package init(_ rules: Rules) {
        self.rules = rules
        names = rules.catalogue.collections.map { $0.fields.map { Array("\"\($0.name)\":".utf8) } }
    }

    /// Whether showing rows of a collection in a kind needs the values of their subjects.
    package func needsSubject(_ collection: Int, in kind: Int) -> Bool {
        rules.subjects[collection] != nil && (rules.view(of: collection, in: kind)?.isConditional ?? false)
    }

    /// Appends a row, or nothing if the kind has no view of its collection.
    ///
    /// `subject` is the subject's row, where ``needsSubject(_:in:)``; the row itself otherwise.
    package func write(_ row: some ProjectableRow, subject: Row?, in kind: Int, to writer: inout JSONWriter) {
        guard let view = rules.view(of: row.key.collection, in: kind) else { return }
        let collection = rules.catalogue.collections[row.key.collection]
        writer.object { writer in
            writer.name("collection")
            writer.plain(collection.name.text)
            writer.name("row")
            writer.id(row.key.id)
            writer.name("sequence")
            writer.integer(row.sequence.value)
            writer.name("stamp")
            writer.stamp(row.stamp)
            if row.isDeleted {
                writer.name("deleted")
                writer.stamp(row.deletion)
                writeVersion(of: row, in: collection, shown: max(row.stamp, row.deletion), to: &writer)
                return
            }
            let shows = view.isConditional ? resolve(view.sights, row, subject) : view.shows
            let names = names[row.key.collection]
            var masked: [String] = []
            let relays = rules.catalogue.scopes[kind].relaysUnknown
            writer.name("fields")
            writer.object { writer in
                for position in names.indices where shows[position] != .hidden && !row.isNull(position) {
                    switch shows[position] {
                    case .full:
                        writer.name(encoded: names[position])
                        row.writeValue(position, to: &writer)
                    case .masked:
                        let field = collection.fields[position]
                        let shown = field.mask.applied(to: row.value(position))
                        guard !shown.isNull else { continue }
                        masked.append(field.name.text)
                        writer.name(encoded: names[position])
                        writer.value(shown)
                    case .hidden: continue
                    }
                }
                if relays { row.writeUnknown(to: &writer) }
            }
            let shown = row.overrides.filter { shows[$0.position] != .hidden }
            let unknownStamps = relays ? row.unknownStamps : []
            if !shown.isEmpty || !unknownStamps.isEmpty {
                writer.name("stamps")
                writer.object { writer in
                    for override in shown {
                        writer.name(encoded: names[override.position])
                        writer.stamp(override.stamp)
                    }
                    for (name, stamp) in unknownStamps {
                        writer.name(escaping: name)
                        writer.stamp(stamp)
                    }
                }
            }
            writeVersion(
                of: row, in: collection, shown: shown.reduce(row.stamp) { max($0, $1.stamp) }, to: &writer)
            if !masked.isEmpty {
                writer.name("masked")
                writer.array { writer in for name in masked { writer.plain(name) } }
            }
        }
    }

    /// An edit of an authoritative row must be based on its version, which may be the stamp of what is not shown: a
    /// hidden field, or a restoration.
    private func writeVersion(
        of row: some ProjectableRow, in collection: RoostSchema.Collection, shown: Stamp, to writer: inout JSONWriter
    ) {
        guard collection.syncClass == .authoritative else { return }
        let version = row.decoded.version
        guard version > shown else { return }
        writer.name("version")
        writer.stamp(version)
    }

    private func resolve(_ sights: [Sight], _ row: some ProjectableRow, _ subject: Row?) -> [Rules.Shows] {
        let decisive = rules.subjects[row.key.collection] == nil ? row.decoded : subject
        guard let decisive else { return sights.map { _ in .hidden } }
        let collection = rules.catalogue.collections[decisive.key.collection]
        return sights.map { sight in Rules.Shows(sight.resolved { $0.holds(in: collection, decisive.values) }) }
    }
}
