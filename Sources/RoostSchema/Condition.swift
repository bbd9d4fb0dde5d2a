/// The one predicate language: audiences, filters, scope links, limits and write rules.
///
/// It compiles to SQL in the store and is evaluated in memory here; both read a term's name as a field of the
/// collection at hand or as one of its facets (see ``Facet``).
package indirect enum Condition: Hashable, Sendable {
    case always
    case never
    case compare(String, Comparison, Operand)
    case all([Condition])
    case any([Condition])
    case not(Condition)

    package enum Comparison: String, Hashable, Sendable {
        case equal = "="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case oneOf = "in"
        case hasPrefix = "^="
    }

    package enum Operand: Hashable, Sendable {
        case value(Value)
        /// The officer whose write is judged.
        case principal
    }

    package static func field(_ name: FieldName, _ comparison: Comparison, _ value: Value) -> Condition {
        .compare(name.text, comparison, .value(value))
    }
    package static func field(_ name: FieldName, is value: Value) -> Condition {
        .compare(name.text, .equal, .value(value))
    }
    package static func field(_ name: FieldName, in values: [Value]) -> Condition {
        .compare(name.text, .oneOf, .value(.list(values)))
    }
    package static func field(isPrincipal name: FieldName) -> Condition { .compare(name.text, .equal, .principal) }

    /// Whether the condition holds.
    ///
    /// `principal` is the officer that ``Operand/principal`` stands for; nil makes such a term false. `values` gives the
    /// values a term's name stands for: one for a field, any number for a facet. A comparison holds if it holds for one
    /// of them. A missing value equals only `null` and is neither less nor greater than anything.
    package func holds(principal: RowID? = nil, _ values: (String) -> [Value]) -> Bool {
        switch self {
        case .always: return true
        case .never: return false
        case .all(let parts): return parts.allSatisfy { $0.holds(principal: principal, values) }
        case .any(let parts): return parts.contains { $0.holds(principal: principal, values) }
        case .not(let part): return !part.holds(principal: principal, values)
        case .compare(let name, let comparison, let operand):
            let right: Value
            switch operand {
            case .value(let value): right = value
            case .principal:
                guard let principal else { return false }
                right = .id(principal)
            }
            let left = values(name)
            if comparison == .notEqual { return !left.contains(right) }
            if left.isEmpty { return comparison == .equal && right.isNull }
            return left.contains { Self.compare($0, comparison, right) }
        }
    }

    /// Whether the condition holds for the values of one row, which stand in the order of the collection's fields.
    ///
    /// The same reading as ``holds(principal:_:)`` where each name has one value or none: judged for every row of every
    /// push, so without a list of values for each term.
    package func holds(in collection: Collection, _ row: [Value], principal: RowID? = nil) -> Bool {
        switch self {
        case .always: return true
        case .never: return false
        case .all(let parts): return parts.allSatisfy { $0.holds(in: collection, row, principal: principal) }
        case .any(let parts): return parts.contains { $0.holds(in: collection, row, principal: principal) }
        case .not(let part): return !part.holds(in: collection, row, principal: principal)
        case .compare(let name, let comparison, let operand):
            let right: Value
            switch operand {
            case .value(let value): right = value
            case .principal:
                guard let principal else { return false }
                right = .id(principal)
            }
            guard let position = collection.position(of: name) else {
                return comparison == .notEqual || comparison == .equal && right.isNull
            }
            return Self.compare(row[position], comparison, right)
        }
    }

    private static func compare(_ left: Value, _ comparison: Comparison, _ right: Value) -> Bool {
        switch comparison {
        case .equal: left == right
        case .notEqual: left != right
        case .oneOf: right.list?.contains(left) ?? false
        case .hasPrefix: if let left = left.text, let right = right.text { left.hasPrefix(right) } else { false }
        case .less: order(left, right).map { $0 < 0 } ?? false
        case .lessOrEqual: order(left, right).map { $0 <= 0 } ?? false
        case .greater: order(left, right).map { $0 > 0 } ?? false
        case .greaterOrEqual: order(left, right).map { $0 >= 0 } ?? false
        }
    }

    private static func order(_ left: Value, _ right: Value) -> Int? {
        switch (left, right) {
        case (.integer(let left), .integer(let right)): left < right ? -1 : left == right ? 0 : 1
        case (.text(let left), .text(let right)): left < right ? -1 : left == right ? 0 : 1
        default: nil
        }
    }

    /// The names of fields and facets the condition reads.
    package var names: Set<String> {
        switch self {
        case .always, .never: []
        case .compare(let name, _, _): [name]
        case .all(let parts), .any(let parts): parts.reduce(into: []) { $0.formUnion($1.names) }
        case .not(let part): part.names
        }
    }
}

/// A name in an audience that stands for a field of rows pointing here, such as `cohort` of a student's schoolings.
package struct Facet: Hashable, Sendable {
    package let name: String
    package let label: Label
    package let collection: CollectionName
    /// The reference of `collection` that names the row the audience is about; nil for a field of that row itself.
    package let via: FieldName?
    package let field: FieldName
    package let when: Condition
    /// A further step: `field` is a reference, and the value is this field of the row it names (a school's kind).
    package let through: FieldName?
    /// How an equal value is said to people, with `%` for the value (`%届`); nil says name and value.
    package let phrase: Label?
    /// Whether `=` means "begins with": a county's code stands for its towns.
    package let matchesPrefix: Bool

    package init(
        _ name: String, _ zh: String, _ en: String, of collection: CollectionName, via: FieldName?, field: FieldName,
        through: FieldName? = nil, when: Condition = .always, phrase: Label? = nil, matchesPrefix: Bool = false
    ) {
        self.name = name
        label = Label(zh, en)
        self.collection = collection
        self.via = via
        self.field = field
        self.through = through
        self.when = when
        self.phrase = phrase
        self.matchesPrefix = matchesPrefix
    }
}
