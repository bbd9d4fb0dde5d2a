/// How one row of a sheet maps to rows of several collections.
///
/// Each part becomes at most one row; a part whose own columns are all empty becomes none. Headers are looked up among
/// the part's own, then among the labels and synonyms of its collection's fields, so a field added to the catalogue is
/// importable without a change here.
package struct SheetTemplate: Sendable {
    package struct Part: Sendable {
        /// Name of the part, unique in the template.
        package let name: String
        package let collection: CollectionName
        /// Values every row of this part gets.
        package let constants: [FieldName: Value]
        /// References to other parts' rows, such as a schooling's student.
        package let references: [FieldName: String]
        /// Headers that mean a field of this part in this sheet, before the catalogue's own.
        package let headers: [FieldName: [String]]
        /// Fields this sheet may set; nil allows all.
        package let fields: Set<FieldName>?
        /// What this sheet writes for a value, beside the labels and synonyms of codes: 是 for `granted`.
        package let spellings: [FieldName: [String: Value]]
        /// Where the words of a name that is in no list are kept: a school's reference and the school's text.
        package let unresolved: [FieldName: FieldName]
        /// Fields that take the year of the sheet if it has no column for them.
        package let sheetYear: Set<FieldName>
        /// Blank fields that a valid identity number may fill.
        package let identityFacts: [IdentityFact: FieldName]
        /// Sets of fields that tell a stored row of this part from another of the same owner; the first that matches counts.
        ///
        /// The first field of a set must agree, the others may be blank on either side. No sets at all means that the
        /// owner has one such row, or in an append-only collection that all values must agree.
        package let identity: [[FieldName]]
        /// Which stored rows of the collection can be this part's at all, such as schoolings of senior level.
        package let among: Condition
        /// Fields that take the moment of the import if nothing else says when.
        package let importMoment: Set<FieldName>
        /// Values that follow from words in another field's cell, before the constants.
        package let hints: [Hint]
        /// A part without columns of its own becomes a row where this other part does.
        package let follows: String?
        /// Telephone fields where a land line will do.
        package let landLines: Set<FieldName>
        /// Another part whose values are this one's while the condition holds for this part's values: who still is in
        /// senior school has one schooling, whatever column its year of leaving stands in.
        package let absorbs: (part: String, when: Condition)?

        package init(
            _ name: String, _ collection: CollectionName, constants: [FieldName: Value] = [:],
            references: [FieldName: String] = [:], headers: [FieldName: [String]] = [:], fields: Set<FieldName>? = nil,
            spellings: [FieldName: [String: Value]] = [:], unresolved: [FieldName: FieldName] = [:],
            sheetYear: Set<FieldName> = [], identityFacts: [IdentityFact: FieldName] = [:],
            identity: [[FieldName]] = [], among: Condition = .always, importMoment: Set<FieldName> = [],
            hints: [Hint] = [], landLines: Set<FieldName> = [], follows: String? = nil,
            absorbs: (part: String, when: Condition)? = nil
        ) {
            self.name = name
            self.collection = collection
            self.constants = constants
            self.references = references
            self.headers = headers
            self.fields = fields
            self.spellings = spellings
            self.unresolved = unresolved
            self.sheetYear = sheetYear
            self.identityFacts = identityFacts
            self.identity = identity
            self.among = among
            self.importMoment = importMoment
            self.hints = hints
            self.follows = follows
            self.landLines = landLines
            self.absorbs = absorbs
        }
    }

    /// A value that the words of another cell give away: a senior school with 职 in its name is a vocational one.
    package struct Hint: Sendable {
        package let field: FieldName
        package let value: Value
        package let source: FieldName
        package let word: String

        package init(_ field: FieldName, _ value: Value, where source: FieldName, contains word: String) {
            self.field = field
            self.value = value
            self.source = source
            self.word = word
        }
    }

    /// What an identity number says about its owner besides being the owner's.
    package enum IdentityFact: Hashable, Sendable {
        case birth
        /// GB/T 2261.1: `1` or `2`.
        case gender
        /// GB/T 2260 division where the number was issued, which need not be the home.
        case divisionOfIssue
    }

    /// Fields whose agreement tells that a row of the sheet and a stored row are about the same thing.
    package struct Evidence: Sendable {
        package enum Level: Int, Hashable, Comparable, Sendable {
            /// Says nothing by itself: used only to see that a row imported before would change nothing.
            case trace
            /// A person decides.
            case faint
            /// A person decides.
            case weak
            /// The same, unless an exact term contradicts.
            case strong
            /// The same, unless the confirming term contradicts.
            case exact

            package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
        }

        /// A field of a part; dates are compared by year, names without regard to script and blanks.
        package struct Term: Hashable, Sendable {
            package let part: String
            package let field: FieldName

            package init(_ part: String, _ field: FieldName) {
                self.part = part
                self.field = field
            }
        }

        package let level: Level
        package let terms: [Term]
        /// A name that must at least sound alike, or the number was somebody else's.
        package let confirmedBy: Term?

        package init(_ level: Level, _ terms: [Term], confirmedBy: Term? = nil) {
            self.level = level
            self.terms = terms
            self.confirmedBy = confirmedBy
        }
    }

    package let name: String
    package let label: Label
    /// The first part is what the sheet is about; rows are matched by it.
    package let parts: [Part]
    /// How rows are recognised as known, strongest first.
    package let evidence: [Evidence]
    /// Headers that are known to carry nothing, such as running numbers.
    package let ignoredHeaders: [String]
    /// Headers that tell this sort of sheet from others: a sheet without any of them is no such sheet.
    ///
    /// Empty means that any sheet with known headers will do.
    package let tellingHeaders: [String]

    package init(
        _ name: String, _ zh: String, _ en: String, parts: [Part], evidence: [Evidence] = [],
        ignoredHeaders: [String] = [], tellingHeaders: [String] = []
    ) {
        self.name = name
        label = Label(zh, en)
        self.parts = parts
        self.evidence = evidence
        self.ignoredHeaders = ignoredHeaders
        self.tellingHeaders = tellingHeaders
    }
}
