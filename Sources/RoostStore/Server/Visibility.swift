import Foundation
import RoostSchema
import RoostSync

/// What the scopes of each kind show, as the catalogue declared it when a database was last served: remembered, so that the
/// next catalogue can be told from it.
struct Visibility: Codable, Equatable {
    struct View: Codable, Equatable {
        /// How rows come to be there, and which.
        var membership: String
        /// How much of each field is shown, by the field's name.
        var sights: [String: String]
    }

    struct Kind: Codable, Equatable {
        var link: String
        /// By collection.
        var views: [String: View]
    }

    private var kinds: [String: Kind] = [:]

    init(_ rules: Rules) {
        for kind in rules.catalogue.scopes { kinds[kind.name.text] = Kind(link: "\(kind.link as Any)", views: [:]) }
        for view in rules.views.joined() {
            let collection = rules.catalogue.collections[view.collection]
            let kind = rules.catalogue.scopes[view.kind].name.text
            let sights = zip(collection.fields, view.sights).map { ($0.name.text, "\($1)") }
            kinds[kind]?.views[collection.name.text] = View(
                membership: "\(view.attachment) \(view.admits)",
                sights: Dictionary(sights, uniquingKeysWith: { first, _ in first }))
        }
    }

    /// The kinds of which some scope may show something else than before.
    ///
    /// A field that was not declared before has no values anybody lacks, nor has a collection without rows: adding them changes
    /// nothing.
    func kinds(changedSince former: Visibility, isEmpty: (String) throws -> Bool) rethrows -> Set<String> {
        var changed: Set<String> = []
        for (name, kind) in kinds {
            let before = former.kinds[name]
            var isSame = before.map { $0.link == kind.link } ?? true
            for collection in Set(kind.views.keys).union(before?.views.keys ?? [:].keys) where isSame {
                switch (before?.views[collection], kind.views[collection]) {
                case (let old?, let new?):
                    isSame =
                        old.membership == new.membership
                        && new.sights.allSatisfy { field, sight in old.sights[field].map { $0 == sight } ?? true }
                default: isSame = try isEmpty(collection)
                }
            }
            if !isSame { changed.insert(name) }
        }
        return changed
    }
}
