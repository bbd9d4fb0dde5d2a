package import RoostSchema
package import RoostStore
package import RoostSync
import RoostSheets

/// What a person should know about an edit that was queued.
package struct EditNote: Hashable, Sendable {
    /// Masked fields that were given a new value: somebody who sees them decides.
    package var masked: [Label] = []
    /// Fields that no role of this person writes: the server will refuse them, unless they were given one since.
    package var notTheirs: [Label] = []
    /// Names that are in no list and are kept as written.
    package var unlisted: [String] = []
    /// People this device holds who may be the one just entered.
    package var alike: [RowID] = []
}

/// The checks an edit passes before it is queued, so that most refusals happen while the person is still there.
///
/// Permission is left to the server, which alone knows it at the time of the edit; but what somebody cannot see they
/// cannot have meant to change.
package struct EditCheck {
    private let rules: Rules
    private let collection: RoostSchema.Collection

    package init(_ rules: Rules, _ collection: RoostSchema.Collection) {
        self.rules = rules
        self.collection = collection
    }

    /// The changes that an edit of a shown row comes to; values that are there already, or equal their mask, are none.
    package func changes(
        _ values: [FieldName: Value], of shown: ShownRow, in scopes: [Scope]
    ) throws(ClientError) -> ([Mutation.Change], EditNote) {
        var changes: [Mutation.Change] = []
        var note = EditNote()
        for (position, field) in collection.fields.enumerated() {
            guard let value = values[field.name] else { continue }
            if shown.locked.contains(position) { throw .lockedField(field.label) }
            guard value != shown.row.values[position] else { continue }
            if collection.fixed.contains(field.name) || collection.subject == field.name {
                throw .fixedField(field.label)
            }
            if shown.masked.contains(position) {
                note.masked.append(field.label)
            } else if !isVisible(position, in: scopes, of: shown) {
                throw .hiddenField(field.label)
            }
            try check(value, field)
            changes.append(Mutation.Change(field.name.text, value))
        }
        try requireKnown(values)
        return (changes, note)
    }

    /// The values of a new row.
    package func creation(_ values: [FieldName: Value]) throws(ClientError) -> [Mutation.Change] {
        try requireKnown(values)
        var changes: [Mutation.Change] = []
        for field in collection.fields {
            let value = values[field.name] ?? field.initial
            if field.required, value.isNull { throw .required(field.label) }
            guard let given = values[field.name], !given.isNull else { continue }
            try check(given, field)
            changes.append(Mutation.Change(field.name.text, given))
        }
        for names in collection.needsOneOf where !names.contains(where: { !(values[$0] ?? .null).isNull }) {
            let labels = collection.fields.filter { names.contains($0.name) }.map(\.label)
            throw .required(
                Label(labels.map(\.zh).joined(separator: " / "), labels.map(\.en).joined(separator: " / ")))
        }
        return changes
    }

    private func requireKnown(_ values: [FieldName: Value]) throws(ClientError) {
        for name in values.keys.sorted() where collection.position(of: name) == nil { throw .unknownField(name.text) }
    }

    private func check(_ value: Value, _ field: Field) throws(ClientError) {
        if field.derivation != nil { throw .derivedField(field.label) }
        if case .identityDigest = field.kind { throw .hiddenField(field.label) }
        if value.isNull {
            if field.required { throw .required(field.label) }
            return
        }
        if let problem = field.kind.problem(with: value) { throw .invalidValue(field.label, advice: problem.advice) }
    }

    /// Whether some scope held shows the field at all; for a field whose sight depends on the row, whether it may.
    private func isVisible(_ position: Int, in scopes: [Scope], of shown: ShownRow) -> Bool {
        // Nothing of the row has come from the server yet: it is the person's own.
        if shown.row.sequence == .zero { return true }
        guard let index = rules.catalogue.position(of: collection.name) else { return false }
        return scopes.contains { scope in
            guard let kind = rules.catalogue.position(ofScope: scope.kind),
                let view = rules.view(of: index, in: kind)
            else { return false }
            return view.sights[position] != .hidden
        }
    }
}

extension FieldProblem {
    /// What is wrong, to be read behind the field's label.
    package var advice: Label {
        switch self {
        case .wrongType: Label("类型不对", "has the wrong type")
        case .tooLong: Label("太长", "is too long")
        case .outOfRange: Label("超出范围", "is out of range")
        case .unknownCode: Label("不在可选值之内", "is not one of the allowed values")
        case .malformed: Label("格式不对", "is malformed")
        case .required: Label("必须填写", "is required")
        case .derived: Label("由系统推算", "is derived by the server")
        }
    }
}
