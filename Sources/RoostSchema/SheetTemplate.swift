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

        package init(
            _ name: String, _ collection: CollectionName, constants: [FieldName: Value] = [:],
            references: [FieldName: String] = [:], headers: [FieldName: [String]] = [:], fields: Set<FieldName>? = nil
        ) {
            self.name = name
            self.collection = collection
            self.constants = constants
            self.references = references
            self.headers = headers
            self.fields = fields
        }
    }

    package let name: String
    package let label: Label
    /// The first part is what the sheet is about; rows are matched by it.
    package let parts: [Part]

    package init(_ name: String, _ zh: String, _ en: String, parts: [Part]) {
        self.name = name
        label = Label(zh, en)
        self.parts = parts
    }
}
