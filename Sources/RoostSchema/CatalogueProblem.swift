/// What is wrong with a declaration, and where; a catalogue with problems must not be served.
package struct CatalogueProblem: Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable, CaseIterable {
        case illFormedName = "ill_formed_name"
        case reservedName = "reserved_name"
        case duplicateName = "duplicate_name"
        case missingLabel = "missing_label"
        case unknownCollection = "unknown_collection"
        case unknownField = "unknown_field"
        case unknownGroup = "unknown_group"
        case unknownScope = "unknown_scope"
        case unknownRole = "unknown_role"
        case unknownPart = "unknown_part"
        /// A field that is used as a reference is none, or points elsewhere.
        case wrongReference = "wrong_reference"
        /// Two replicas could each be right offline, so the limit would refuse one of them for good.
        case limitOnRegister = "limit_on_register"
        /// What a row says elsewhere cannot be taken back when the row changes.
        case effectOfChangingRow = "effect_of_changing_row"
        /// An initial, constant or replacing value that its field would refuse.
        case invalidValue = "invalid_value"
        /// A code or one of its words means two values.
        case ambiguousCode = "ambiguous_code"
        /// A header means two fields.
        case duplicateHeader = "duplicate_header"
        case rankOutsideCodes = "rank_outside_codes"
        case duplicateView = "duplicate_view"
        /// The way rows are attached does not fit the kind of scope.
        case wrongAttachment = "wrong_attachment"
        /// A holding does not fit the kind of scope (a key too many or too few).
        case wrongHolding = "wrong_holding"
        /// A rule for a scope that its role does not hold, or that shows nothing of the collection.
        case unreachableRule = "unreachable_rule"
        /// A scope shows an identity digest.
        case identityShown = "identity_shown"
    }

    package let code: Code
    /// For example `student.birth` or `scope chapter: touch`.
    package let place: String

    package init(_ code: Code, _ place: String) {
        self.code = code
        self.place = place
    }

    package var description: String { "\(code.rawValue) (\(place))" }
}

/// Words that no collection or field may be called.
enum ReservedNames {
    /// Columns the store keeps beside the declared fields.
    static let columns: Set<String> = ["id", "sequence", "stamp", "overrides", "deleted", "unknown_fields"]

    /// Reserved in SQLite or in PostgreSQL, so that names need no quoting in either.
    static let words: Set<String> = [
        "add", "all", "alter", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "autoincrement",
        "between", "both", "case", "cast", "check", "collate", "column", "commit", "constraint", "create", "default",
        "deferrable", "delete", "desc", "distinct", "do", "drop", "else", "end", "escape", "except", "exists", "false",
        "fetch", "for", "foreign", "from", "grant", "group", "having", "in", "index", "initially", "insert",
        "intersect", "into", "is", "isnull", "join", "lateral", "leading", "limit", "not", "nothing", "notnull", "null",
        "offset", "on", "only", "or", "order", "placing", "primary", "references", "returning", "select", "set", "some",
        "symmetric", "table", "then", "to", "trailing", "transaction", "true", "union", "unique", "update", "user",
        "using", "values", "variadic", "when", "where", "window", "with",
    ]

    static func contains(_ name: String) -> Bool { columns.contains(name) || words.contains(name) }
}
