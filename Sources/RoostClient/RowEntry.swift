package import RoostSchema
package import RoostStore
import RoostModel
import RoostSync

/// Adds and edits rows of any collection from `field=value` as people type it.
package struct RowEntry {
    private let desk: Desk
    private let collection: RoostSchema.Collection

    package init(_ desk: Desk, _ collection: RoostSchema.Collection) {
        self.desk = desk
        self.collection = collection
    }

    /// Queues a new row; what the officer's roles ask of such a row, and the moment, need not be typed.
    package func add(_ assignments: [String]) throws -> RowID {
        var values = try Assignments(desk, in: [collection.name]).values(assignments)[collection.name] ?? [:]
        let writable = try desk.writable()
        for (name, value) in writable.asked(of: collection.name) where values[name] == nil { values[name] = value }
        for field in collection.fields where field.required && values[field.name] == nil && field.kind == .instant {
            values[field.name] = .integer(desk.environment.now().value)
        }
        let changes = try EditCheck(desk.replica.rules, collection).creation(values)
        guard writable.creates(collection.name, values) else { throw ClientError.notAllowed }
        let row = desk.environment.newRow()
        try desk.replica.queue(
            [Edit(collection.name, row, .create, changes)], grouped: false, at: desk.environment.moment)
        return row
    }

    /// Queues an edit of a row.
    package func edit(_ shown: ShownRow, _ assignments: [String]) throws -> EditNote {
        let values = try Assignments(desk, in: [collection.name]).values(assignments)[collection.name] ?? [:]
        return try desk.edit(collection.name, shown, values)
    }
}
