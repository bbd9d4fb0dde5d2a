import RoostSchema

/// Writes rows as a scope shows them.
package struct Projection: Sendable {
    private let rules: Rules

    package init(_ rules: Rules) { self.rules = rules }

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
            let sights = view.isConditional ? resolve(view.sights, row, subject) : view.sights
            var masked: [String] = []
            let relays = rules.catalogue.scopes[kind].relaysUnknown
            writer.name("fields")
            writer.object { writer in
                for (position, field) in collection.fields.enumerated() {
                    let value = row.values[position]
                    if value.isNull { continue }
                    switch sights[position] {
                    case .full:
                        writer.name(plain: field.name.text)
                        writer.value(value)
                    case .masked:
                        let shown = field.mask.applied(to: value)
                        guard !shown.isNull else { continue }
                        masked.append(field.name.text)
                        writer.name(plain: field.name.text)
                        writer.value(shown)
                    case .hidden, .when: continue
                    }
                }
                if relays {
                    for field in row.unknown {
                        writer.name(escaping: field.name)
                        writer.value(field.value)
                    }
                }
            }
            let shown = row.overrides.filter { sights[$0.position] == .full || sights[$0.position] == .masked }
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

    private func resolve(_ sights: [Sight], _ row: Row, _ subject: Row?) -> [Sight] {
        let decisive = rules.subjects[row.key.collection] == nil ? row : subject
        guard let decisive else { return sights.map { _ in .hidden } }
        let collection = rules.catalogue.collections[decisive.key.collection]
        return sights.map { sight in sight.resolved { $0.holds(in: collection, decisive.values) } }
    }
}
