package import RoostSchema

/// The built-in collection of values that lost against somebody who had not seen them.
///
/// A conflict follows the row it is about, but only into scopes that show the field concerned in full, so people can
/// settle it wherever they could have made the edit. Settling writes the row again and closes the conflict.
package enum Conflict {
    package static let collection: CollectionName = "conflict"

    /// The declaration; ``Catalogue/withConflicts(about:)`` adds it.
    package static func declaration(about subject: CollectionName) -> RoostSchema.Collection {
        Collection(
            collection, .register, "冲突", "Conflict", subject: "subject",
            fields: [
                Field("subject", .reference(subject), "对象", "Subject"),
                Field("concerned_collection", .text(max: 41), "集合", "Collection", required: true),
                Field("concerned_row", .text(max: 36), "记录", "Row", required: true),
                Field("concerned_field", .text(max: 41), "字段", "Field", required: true),
                // A list of one, because the value may be of any kind.
                Field("losing_value", .structure(max: 65_536), "未采用的值", "Losing value", required: true),
                Field("losing_stamp", .text(max: 33), "未采用的时间戳", "Losing stamp", required: true),
                Field("losing_author", .text(max: 36), "未采用者", "Losing author"),
                Field("winning_stamp", .text(max: 33), "采用的时间戳", "Winning stamp", required: true),
                Field("winning_author", .text(max: 36), "采用者", "Winning author"),
                Field(
                    "state", .code([Code("open", "待处理", "Open"), Code("settled", "已处理", "Settled")]), "状态", "State",
                    required: true, initial: "open"),
                Field("losing_device", .text(max: 60), "未采用者的设备", "Losing device"),
                Field("winning_device", .text(max: 60), "采用者的设备", "Winning device"),
            ])
    }

    package enum Position {
        package static let subject = 0
        package static let collection = 1
        package static let row = 2
        package static let field = 3
        package static let value = 4
        package static let losingStamp = 5
        package static let losingAuthor = 6
        package static let winningStamp = 7
        package static let winningAuthor = 8
        package static let state = 9
        package static let losingDevice = 10
        package static let winningDevice = 11
    }

    /// One identity per losing value, so that the same loss found twice is one conflict.
    package static func id(of row: RowKey, field: String, losing: Stamp) -> RowID {
        RowID(naming: "conflict", "\(row.id) \(field) \(losing)")
    }
}

extension Catalogue {
    /// The catalogue with the built-in collections added, shown by every scope kind that shows the subject collection;
    /// conflicts and parallel edits also by those in which some role edits rows that merge, quarantine by those in which
    /// some role writes at all.
    ///
    /// Where rows are only read (what everybody holds), there is nothing for anybody to settle.
    /// `subject` is the collection that people's rows are about.
    package func withConflicts(about subject: CollectionName) -> Catalogue {
        let registers = Set(collections.filter { $0.syncClass == .register }.map(\.name))
        let edited = Set(
            roles.flatMap(\.writes).filter { registers.contains($0.collection) && $0.edit != .never }.map(\.scope))
        let written = Set(roles.flatMap(\.writes).map(\.scope))
        return Catalogue(
            version: version,
            collections: collections + [
                Conflict.declaration(about: subject), Quarantine.declaration(about: subject),
                ParallelEdit.declaration(about: subject),
            ],
            scopes: scopes.map { kind in
                let showsSubject = kind.views.contains { $0.collection == subject }
                var views = kind.views
                if showsSubject || edited.contains(kind.name) {
                    views += [View(Conflict.collection, .subject), View(ParallelEdit.collection, .subject)]
                }
                if showsSubject || written.contains(kind.name) { views.append(View(Quarantine.collection, .subject)) }
                return ScopeKind(
                    kind.name, kind.label.zh, kind.label.en, key: kind.key, link: kind.link,
                    relaysUnknown: kind.relaysUnknown, views: views)
            },
            roles: roles, authority: authority, commons: commons, facets: facets, templates: templates)
    }
}
