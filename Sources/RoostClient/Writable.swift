import RoostSchema
import RoostSync

/// What the officer's roles let them write, as far as the declaration alone tells.
struct Writable {
    let catalogue: Catalogue
    let officer: RowID
    let roles: [Role]

    init(catalogue: Catalogue, officer: RowID, grants: [HeldGrant]) {
        self.catalogue = catalogue
        self.officer = officer
        roles = grants.compactMap { catalogue[role: $0.role] }
    }

    private func rules(_ collection: CollectionName) -> [WriteRule] {
        roles.flatMap(\.writes).filter { $0.collection == collection }
    }

    /// Whether some rule lets a row with these values be created.
    func creates(_ collection: CollectionName, _ values: [FieldName: Value]) -> Bool {
        guard let declaration = catalogue[collection] else { return false }
        let row = declaration.fields.map { values[$0.name] ?? $0.initial }
        return rules(collection).contains { $0.create.holds(in: declaration, row, principal: officer) }
    }

    /// The values that the rules for new rows of the collection ask for; empty where nothing may be created.
    ///
    /// Of several that a rule allows, the declared one stands if it is among them, else the last, since rules name the
    /// widest first: what somebody may tell only to few is not told to many because they left it out.
    func asked(of collection: CollectionName) -> [FieldName: Value] {
        guard let declaration = catalogue[collection] else { return [:] }
        let asked = rules(collection).filter { $0.create != .never && !$0.newSubjectOnly }.map { rule in
            let choices = rule.create.choices(officer: officer)
            return choices.compactMap { name, values -> (FieldName, Value)? in
                guard let last = values.last else { return nil }
                let initial = declaration[name]?.initial ?? .null
                return (name, values.contains(initial) ? initial : last)
            }
        }.map { Dictionary($0) { first, _ in first } }
        guard let first = asked.first else { return [:] }
        return first.filter { name, value in asked.allSatisfy { $0[name] == value } }
    }

    /// Whether some rule lets a row with these values, in the order of the fields, be deleted.
    func deletes(_ collection: CollectionName, _ values: [Value]) -> Bool {
        guard let declaration = catalogue[collection] else { return false }
        return rules(collection).contains { $0.delete.holds(in: declaration, values, principal: officer) }
    }

    /// The fields among changes of a row that no rule lets be written.
    func beyond(_ changes: [Mutation.Change], of collection: RoostSchema.Collection) -> [Label] {
        changes.compactMap { collection[FieldName($0.field)] }
            .filter { !writes($0, of: collection.name, creating: false) }.map(\.label)
    }

    /// Whether some rule lets the field be written, in a new row or an old one.
    func writes(_ field: Field, of collection: CollectionName, creating: Bool) -> Bool {
        rules(collection).contains { rule in
            (creating ? rule.create : rule.edit) != .never && (rule.groups?.contains(field.group) ?? true)
        }
    }
}
