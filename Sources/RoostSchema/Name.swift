/// A declared name that cannot be swapped for a name of another sort.
///
/// Names are lower-case ASCII with underscores; they are the same in Swift, SQL, JSON and prose.
package struct Name<Declared>: Hashable, Comparable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    package let text: String

    package init(_ text: String) { self.text = text }
    package init(stringLiteral text: String) { self.text = text }

    package var description: String { text }

    package static func < (left: Self, right: Self) -> Bool { left.text < right.text }

    /// Whether the name is safe as an SQL identifier and JSON key: `[a-z][a-z0-9_]{0,40}`.
    package var isWellFormed: Bool {
        guard let first = text.utf8.first, (0x61...0x7A).contains(first), text.utf8.count <= 41 else { return false }
        return text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
    }
}

package typealias CollectionName = Name<Collection>
package typealias FieldName = Name<Field>
package typealias FieldGroup = Name<[Field]>
package typealias RoleName = Name<Role>
package typealias ScopeKindName = Name<ScopeKind>

/// What a person reads, in the two languages of the product.
package struct Label: Hashable, Sendable {
    package let zh: String
    package let en: String

    package init(_ zh: String, _ en: String) {
        self.zh = zh
        self.en = en
    }
}
