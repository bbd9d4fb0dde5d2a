package import RoostSchema

/// What a person typed for one field, read by the same rules as a cell of a sheet.
package enum TypedValue: Hashable, Sendable {
    /// Nothing, or one of the words for it.
    case blank
    case value(Value)
    /// Masked text, to be compared with what is shown.
    case masked(String)
    /// Words that are in no list.
    case unresolved(String)

    /// Reads a text.
    /// - Parameters:
    ///   - text: as typed; codes by value, label or synonym, dates and numbers as people write them.
    ///   - field: whose value it is to be.
    ///   - index: the names in which a reference or an open code is looked up.
    /// - Throws: why the text is no value of the field.
    package init(reading text: String, as field: Field, in index: NameIndex? = nil) throws(CellProblem) {
        var reader = CellReader(field: field, spellings: [:], index: index, landLines: false)
        switch reader.read(text) {
        case .blank: self = .blank
        case .value(let value): self = .value(value)
        case .masked(let text): self = .masked(text)
        case .unresolved(let words): self = .unresolved(words)
        case .identity: throw .identityDropped
        case .refused(let problem): throw problem
        }
    }
}
