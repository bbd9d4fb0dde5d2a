/// One value of a closed list, with what people call it.
package struct Code: Hashable, Sendable {
    /// What is stored and sent.
    package let value: String
    package let label: Label
    /// Other spellings found in sheets, such as `M` for 男.
    package let synonyms: [String]

    package init(_ value: String, _ zh: String, _ en: String, _ synonyms: [String] = []) {
        self.value = value
        label = Label(zh, en)
        self.synonyms = synonyms
    }
}

/// What sort of value a field holds; `Validation.swift` says exactly which values each accepts.
package enum FieldKind: Hashable, Sendable {
    /// Free text of at most so many characters.
    case text(max: Int)
    /// A person's name as written: normalised to NFC only, rare characters and `·` kept.
    case personName
    case integer(ClosedRange<Int64>)
    case boolean
    /// One of a closed list, in rising order where an order has meaning (`level >= 本科`).
    case code([Code])
    /// Short text from an open standard list, such as a GB/T 2260 division.
    case openCode(max: Int)
    /// `2005`, `2005-09` or `2005-09-12`: as exact as is known.
    case partialDate
    /// `2005-09-12`.
    case date
    /// Milliseconds since the Unix epoch.
    case instant
    /// E.164, for example `+8613800000000`.
    case phone
    case email
    case url
    case reference(CollectionName)
    /// Several short words.
    case tags(count: Int, max: Int)
    /// An audience or filter in the text form of ``Condition``.
    case predicate
    /// A list or object whose shape its reader checks, of at most so many encoded bytes.
    case structure(max: Int)
    /// An identity number: accepted from a sheet on the server, kept only as a keyed digest (64 hexadecimal digits).
    case identityDigest
}

/// How two writes of one field are settled.
package enum MergeKind: Hashable, Sendable {
    /// The highest effective stamp wins.
    case lastWriter
    /// The value later in the list wins whatever its stamp, so an old offline edit cannot reopen what is done.
    ///
    /// A value of `reopens` set on purpose by somebody who saw the current one takes it back.
    case rank([String], reopens: String)
}

/// How much of a field a masked reader sees.
package enum Mask: Hashable, Sendable {
    case hidden
    /// `138****0000`: the first three and last four digits after the country code.
    case phone
    /// `2005-09-12` becomes `2005`.
    case year
}

/// A value the server computes and stores; nobody writes it.
package enum Derivation: Hashable, Sendable {
    /// `take` of the live row of `collection` whose `via` names this row, that satisfies `when` and is greatest by
    /// `order`, then by sequence.
    case latest(of: CollectionName, via: FieldName, when: Condition, order: [FieldName], take: FieldName)
    /// Whether the person is younger than `years`, or of unknown birth while `presumedWhen` holds.
    ///
    /// Computed at each write of the row and again by the due-date service, so that no later check reads a clock.
    case younger(than: Int, birth: FieldName, presumedWhen: Condition)
}

/// A declared field of a collection.
///
/// A class for the reason given at ``Collection``.
package final class Field: Sendable {
    package let name: FieldName
    package let kind: FieldKind
    package let label: Label
    /// Sheet headers that mean this field, beside its labels.
    package let headers: [String]
    /// The unit of visibility and write permission.
    package let group: FieldGroup
    package let required: Bool
    package let initial: Value
    package let merge: MergeKind
    package let mask: Mask
    package let derivation: Derivation?

    package init(
        _ name: FieldName, _ kind: FieldKind, _ zh: String, _ en: String, headers: [String] = [],
        group: FieldGroup = "main", required: Bool = false, initial: Value = .null, merge: MergeKind = .lastWriter,
        mask: Mask = .hidden, derivation: Derivation? = nil
    ) {
        self.name = name
        self.kind = kind
        label = Label(zh, en)
        self.headers = headers
        self.group = group
        self.required = required
        self.initial = initial
        self.merge = merge
        self.mask = mask
        self.derivation = derivation
    }

    /// The codes of a closed list, or none.
    package var codes: [Code] { if case .code(let codes) = kind { codes } else { [] } }

    /// The collection this field points to, or nil.
    package var target: CollectionName? { if case .reference(let collection) = kind { collection } else { nil } }
}
