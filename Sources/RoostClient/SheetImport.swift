package import RoostSchema
package import RoostSheets
package import RoostStore
import RoostModel
import RoostSync

/// Imports a sheet on this device: it becomes edits like any others, to be sent with the next synchronisation.
///
/// For those whose role has no import on the server, and for anybody offline. Identity numbers are left out here.
package struct SheetImport {
    private let desk: Desk
    private let lists = ReferenceLists()

    package init(_ desk: Desk) { self.desk = desk }

    /// A sheet read and compared with what this device shows; nothing is written yet.
    package struct Draft {
        package let sheet: Sheet
        package let parsed: ParsedSheet
        package let plan: ImportPlan
        /// Columns whose values the officer's roles may not write, with how many values each would have had.
        package let withheld: [Label: Int]
        let groups: [[Edit]]
        let entries: [OfflineBatch.Entry]

        package var template: SheetTemplate { parsed.template }
    }

    /// Reads and plans.
    /// - Throws: ``ClientError``.
    package func draft(_ bytes: [UInt8], template name: String?, year: Int?) throws -> Draft {
        // What is locked would look like blanks to be filled.
        try desk.requireLease()
        let catalogue = desk.catalogue
        let (sheet, parsed) = try parse(bytes, template: name, year: year)
        var known: [CollectionName: [KnownRow]] = [:]
        for part in parsed.template.parts where known[part.collection] == nil {
            known[part.collection] = try desk.replica.rows(of: part.collection).map {
                KnownRow(id: $0.row.key.id, values: $0.row.values)
            }
        }
        let rows = KnownRows(catalogue: catalogue, template: parsed.template, rows: known)
        let environment = desk.environment
        var planner = ImportPlanner(known: rows, makeID: { _, _ in environment.newRow() })
        let plan = planner.plan(parsed)
        var edits = EditDraft(desk: desk, writable: try desk.writable())
        for row in plan.rows where !row.changes.isEmpty { try edits.add(row) }
        return Draft(
            sheet: sheet, parsed: parsed, plan: plan, withheld: edits.withheld, groups: edits.groups,
            entries: edits.entries)
    }

    private func parse(_ bytes: [UInt8], template name: String?, year: Int?) throws -> (Sheet, ParsedSheet) {
        let catalogue = desk.catalogue
        do {
            let sheet = try Sheet(reading: bytes)
            let template: SheetTemplate
            if let name {
                guard let named = catalogue.templates.first(where: { $0.name == name }) else {
                    throw ClientError.unknownTemplate(name)
                }
                template = named
            } else {
                let scored = catalogue.templates.map {
                    ($0, HeaderMap.score(of: sheet, template: $0, catalogue: catalogue) ?? 0)
                }
                // The first of equals: the most particular template comes first.
                let best = scored.reduce(scored.first) { best, next in next.1 > (best?.1 ?? 0) ? next : best }
                guard let best, best.1 > 0 else { throw ClientError.sheet(.noHeader) }
                template = best.0
            }
            let parser = SheetParser(
                catalogue: catalogue, template: template, directory: try lists.directory(desk.replica), year: year,
                moment: desk.environment.now().value)
            return (sheet, try parser.parse(sheet))
        } catch let error as SheetError {
            throw ClientError.sheet(error)
        }
    }

    /// Queues a draft.
    /// - Returns: the batch, by which it can be undone; nil if there was nothing to write.
    package func commit(_ draft: Draft, source: String) throws -> RowID? {
        guard !draft.groups.isEmpty else { return nil }
        let id = desk.environment.newRow()
        try desk.replica.commit(
            OfflineBatch(id: id, source: source, madeAt: desk.environment.now(), entries: draft.entries),
            groups: draft.groups, at: desk.environment.moment)
        return id
    }
}

/// Turns planned rows into groups of edits that the officer's roles allow.
private struct EditDraft {
    let desk: Desk
    let writable: Writable
    var groups: [[Edit]] = []
    var entries: [OfflineBatch.Entry] = []
    var withheld: [Label: Int] = [:]

    mutating func add(_ row: ImportPlan.Row) throws {
        let isNew = row.changes.contains { $0.kind == .create && $0.collection == Programme.subject }
        var group: [Edit] = []
        var root: (id: RowID, values: [FieldName: Value])?
        var parts: [Desk.Part] = []
        for change in row.changes {
            guard let collection = desk.catalogue[change.collection] else { continue }
            let creating = change.kind == .create
            var values = change.values
            for field in collection.fields where values[field.name] != nil {
                guard !writable.writes(field, of: change.collection, creating: creating) else { continue }
                values[field.name] = nil
                withheld[field.label, default: 0] += 1
            }
            guard !values.isEmpty else { continue }
            if creating, !(isNew && change.collection == Programme.subject),
                !writable.creates(change.collection, values)
            {
                withheld[collection.label, default: 0] += 1
                continue
            }
            if isNew, change.collection != Programme.subject {
                parts.append(Desk.Part(change.collection, values))
            } else if isNew {
                root = (change.id, values)
            } else {
                group.append(try edit(change, values, collection))
            }
        }
        if let root { group = try desk.newStudent(root.id, root.values, parts: parts, chapter: nil) }
        guard !group.isEmpty else { return }
        groups.append(group)
        for edit in group { entries.append(try entry(edit)) }
    }

    private func edit(
        _ change: ImportPlan.RowChange, _ values: [FieldName: Value], _ collection: RoostSchema.Collection
    ) throws -> Edit {
        let check = EditCheck(desk.replica.rules, collection)
        if change.kind == .create {
            return Edit(change.collection, change.id, .create, try check.creation(values))
        }
        return Edit(
            change.collection, change.id, .edit,
            collection.fields.compactMap { field in
                values[field.name].map { Mutation.Change(field.name.text, $0) }
            })
    }

    private func entry(_ edit: Edit) throws -> OfflineBatch.Entry {
        let shown = try desk.replica.row(edit.collection, edit.row)
        let collection = desk.catalogue[edit.collection]
        return OfflineBatch.Entry(
            edit.collection, edit.row, created: edit.action == .create,
            changes: edit.changes.map { change in
                let old = collection?.position(of: change.field).flatMap { shown?.row.values[$0] }
                return OfflineBatch.Change(change.field, old: old ?? .null, new: change.value)
            })
    }
}

extension Desk {
    /// Takes an offline import back: forgotten if none of it was sent, else by edits that restore what it replaced.
    ///
    /// Values edited since, rows it made that were changed since, and rows the officer may not delete stay. Rows go in
    /// the opposite order of their making: what links somebody to the officer last came, and goes first.
    /// - Returns: whether it was simply forgotten.
    package func undo(_ batch: OfflineBatch) throws -> Bool {
        guard batch.undoneAt == nil else { throw ClientError.nothingToChange }
        try requireLease()
        var inverse: [[Edit]] = []
        let writable = try writable()
        for entry in batch.entries.reversed() {
            guard let collection = catalogue[entry.collection],
                let shown = try replica.row(entry.collection, entry.row), !shown.row.isDeleted
            else { continue }
            func holds(_ change: OfflineBatch.Change) -> Bool {
                collection.position(of: change.field).map { shown.row.values[$0] == change.new } ?? false
            }
            if entry.created {
                guard collection.syncClass != .appendOnly, entry.changes.allSatisfy(holds),
                    writable.deletes(entry.collection, shown.row.values)
                else { continue }
                inverse.append([Edit(entry.collection, entry.row, .delete)])
            } else {
                let changes = entry.changes.filter(holds).map { Mutation.Change($0.field, $0.old) }
                if !changes.isEmpty { inverse.append([Edit(entry.collection, entry.row, .edit, changes)]) }
            }
        }
        return try replica.undo(batch.id, inverse: inverse, at: environment.moment)
    }
}
