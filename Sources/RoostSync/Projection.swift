import RoostSchema

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
    package func write(_ row: Row, subject: Row?, in kind: Int, to writer: inout JSONWriter) {
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
                for (position, value) in row.values.enumerated() where !value.isNull {
                    switch shows[position] {
                    case .full:
                        writer.name(encoded: names[position])
                        writer.value(value)
                    case .masked:
                        let field = collection.fields[position]
                        let shown = field.mask.applied(to: value)
                        guard !shown.isNull else { continue }
                        masked.append(field.name.text)
                        writer.name(encoded: names[position])
                        writer.value(shown)
                    case .hidden: continue
                    }
                }
                if relays {
                    for field in row.unknown {
                        writer.name(escaping: field.name)
                        writer.value(field.value)
                    }
                }
            }
            let shown = row.overrides.filter { shows[$0.position] != .hidden }
            if !shown.isEmpty || relays && !row.unknown.isEmpty {
                writer.name("stamps")
                writer.object { writer in
                    for override in shown {
                        writer.name(plain: collection.fields[override.position].name.text)
                        writer.stamp(override.stamp)
                    }
                    if relays {
                        for field in row.unknown where field.stamp != row.stamp {
                            writer.name(escaping: field.name)
                            writer.stamp(field.stamp)
                        }
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
        of row: Row, in collection: RoostSchema.Collection, shown: Stamp, to writer: inout JSONWriter
    ) {
        guard collection.syncClass == .authoritative, row.version > shown else { return }
        writer.name("version")
        writer.stamp(row.version)
    }

    private func resolve(_ sights: [Sight], _ row: Row, _ subject: Row?) -> [Rules.Shows] {
        let decisive = rules.subjects[row.key.collection] == nil ? row : subject
        guard let decisive else { return sights.map { _ in .hidden } }
        let collection = rules.catalogue.collections[decisive.key.collection]
        return sights.map { sight in Rules.Shows(sight.resolved { $0.holds(in: collection, decisive.values) }) }
    }
}
