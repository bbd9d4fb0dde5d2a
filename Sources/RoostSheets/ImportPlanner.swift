package import RoostSchema
import RoostText

/// Decides what importing a sheet would do, given what is stored.
package struct ImportPlanner {
    private let catalogue: Catalogue
    private let template: SheetTemplate
    private var known: KnownRows
    private let makeID: (_ row: Int, _ part: Int) -> RowID
    /// The input row that first was about a row of the first part.
    private var claims: [RowID: Int] = [:]

    /// Prepares a plan.
    /// - Parameters:
    ///   - known: the stored rows, indexed for the same template as the sheet's.
    ///   - makeID: makes the identity of what is new, from the number of the input row and the position of the part.
    package init(known: KnownRows, makeID: @escaping (_ row: Int, _ part: Int) -> RowID) {
        catalogue = known.catalogue
        template = known.template
        self.known = known
        self.makeID = makeID
    }

    /// Plans every row of a sheet, in the order of the sheet.
    package mutating func plan(_ sheet: ParsedSheet) -> ImportPlan {
        var rows: [ImportPlan.Row] = []
        rows.reserveCapacity(sheet.rows.count)
        for row in sheet.rows { rows.append(plan(row, headers: sheet.headers)) }
        return ImportPlan(
            rows: rows, warnings: sheet.warnings, unknownColumns: sheet.headers.unknownColumns,
            unknownNames: sheet.unknownNames)
    }

    private mutating func plan(_ row: ParsedRow, headers: HeaderMap) -> ImportPlan.Row {
        guard row.problem == nil else {
            return ImportPlan.Row(
                row: row.row, line: row.line, bucket: .refused, subject: nil, suspicion: nil, problem: row.problem,
                notes: row.notes, fields: [], changes: [])
        }
        var row = row
        switch match(&row) {
        case .none:
            return write(row, to: nil, suspicion: nil, headers: headers)
        case .same(let id):
            return write(row, to: id, suspicion: nil, headers: headers)
        case .several(let ids):
            return ImportPlan.Row(
                row: row.row, line: row.line, bucket: .suspect, subject: nil, suspicion: .severalMatches(ids),
                problem: nil, notes: row.notes, fields: [], changes: [])
        case .alike(let suspicion):
            return write(row, to: nil, suspicion: suspicion, headers: headers)
        }
    }

    // MARK: Matching

    private enum Match {
        case none
        case same(RowID)
        case several([RowID])
        case alike(ImportPlan.Suspicion)
    }

    /// Finds the stored row that a row is about, going from the strongest evidence to the weakest.
    private func match(_ row: inout ParsedRow) -> Match {
        var alike: ImportPlan.Suspicion?
        for (position, evidence) in known.rules.enumerated() {
            guard let key = evidence.key(value: { part, field, _ in value(part, field, row) }) else { continue }
            var candidates = known.matches(position, key: key)
            if evidence.level == .exact {
                let confirmed = candidates.filter { isConfirmed(evidence, row, by: $0) }
                if let other = candidates.first, confirmed.isEmpty {
                    withdraw(evidence, from: &row)
                    alike = .sharedIdentity(other)
                }
                candidates = confirmed
            } else {
                candidates = candidates.filter { !isContradicted(row, by: $0) }
            }
            guard !candidates.isEmpty else { continue }
            if let same = candidates.first(where: { changesNothing(row, $0) }) { return .same(same) }
            switch evidence.level {
            case .exact, .strong:
                return candidates.count == 1 ? .same(candidates[0]) : .several(candidates)
            case .weak, .faint:
                if alike == nil { alike = .looksLike(candidates, evidence.level) }
            case .trace:
                break
            }
        }
        return alike.map(Match.alike) ?? .none
    }

    private func value(_ part: Int, _ field: FieldName, _ row: ParsedRow) -> Value? {
        row.parts[part].flatMap { $0.values[field] ?? $0.given[field] }
    }

    private func storedValue(of term: EvidenceRule.Term, _ id: RowID) -> Value? {
        guard term.part == 0 else { return nil }
        return known.values(of: id, in: template.parts[0].collection)?[term.position]
    }

    /// Whether the confirming name of an exact evidence at least sounds like the stored one.
    private func isConfirmed(_ evidence: EvidenceRule, _ row: ParsedRow, by id: RowID) -> Bool {
        guard let term = evidence.confirmedBy, let new = value(term.part, term.field, row)?.text,
            let old = storedValue(of: term, id)?.text
        else { return true }
        return HanFolding.matchingKey(new) == HanFolding.matchingKey(old) || Pinyin.soundAlike(new, old)
    }

    /// Whether both have an exact term, such as an identity number, and it differs.
    private func isContradicted(_ row: ParsedRow, by id: RowID) -> Bool {
        known.rules.contains { evidence in
            evidence.level == .exact
                && evidence.terms.contains { term in
                    guard let new = value(term.part, term.field, row), let old = storedValue(of: term, id)
                    else { return false }
                    return !new.isNull && !old.isNull && new != old
                }
        }
    }

    /// Takes a number that is another person's out of the row, with whatever was inferred from it.
    private func withdraw(_ evidence: EvidenceRule, from row: inout ParsedRow) {
        for term in evidence.terms {
            row.edit(term.part) { part in
                part.values[term.field] = nil
                for field in part.inferred { part.values[field] = nil }
                part.inferred = []
            }
        }
        if let note = row.identityNote { row.notes.append(note) }
    }

    // MARK: Changes

    /// A part of a row beside the stored row that it is about, if there is one.
    private struct Target {
        let part: Int
        let id: RowID
        let isNew: Bool
        let references: [FieldName: Value]
        let difference: PartDifference
    }

    private func changesNothing(_ row: ParsedRow, _ id: RowID) -> Bool {
        var notes: [CellNote] = []
        let targets = targets(of: row, root: id, makeID: { _, _ in id }, notes: &notes, headers: nil)
        return targets.allSatisfy { !$0.isNew && $0.difference.isEmpty }
    }

    /// Pairs each part with its stored row or a new one.
    private func targets(
        of row: ParsedRow, root: RowID?, makeID: (_ row: Int, _ part: Int) -> RowID, notes: inout [CellNote],
        headers: HeaderMap?
    ) -> [Target] {
        var targets: [Target] = []
        var ids: [String: RowID] = [:]
        for (position, part) in template.parts.enumerated() {
            guard let parsed = row.parts[position], let collection = catalogue[part.collection] else { continue }
            var references: [FieldName: Value] = [:]
            for (field, other) in part.references { references[field] = ids[other].map(Value.id) }
            guard references.count == part.references.count else { continue }
            let stored: RowID?
            if position == 0 {
                stored = root
            } else {
                let owner = part.ownerField.flatMap { references[$0]?.id }
                stored = owner.flatMap { storedRow(of: position, parsed: parsed, owner: $0, collection) }
            }
            if let stored, let values = known.values(of: stored, in: part.collection) {
                var difference = PartDifference(of: parsed, from: values, in: collection)
                if collection.syncClass == .appendOnly { difference.changes = [:] }
                notes += difference.refused
                ids[part.name] = stored
                targets.append(
                    Target(part: position, id: stored, isNew: false, references: references, difference: difference))
                continue
            }
            let blank = Array(repeating: Value.null, count: collection.fields.count)
            let difference = PartDifference(of: parsed, from: blank, in: collection)
            notes += difference.refused
            let lacks = collection.fields.contains { field in
                field.required && field.initial.isNull && difference.changes[field.name] == nil
                    && references[field.name] == nil
            }
            let lacksAll = collection.needsOneOf.contains { fields in
                !fields.contains { difference.changes[$0] != nil || references[$0] != nil }
            }
            if lacks || lacksAll {
                // The cell that is missing has its own note, or was blank; the cells that hang on it get this one.
                if let headers { notes += incomplete(part: position, parsed: parsed, headers: headers) }
                continue
            }
            let id = makeID(row.row, position)
            ids[part.name] = id
            targets.append(
                Target(part: position, id: id, isNew: true, references: references, difference: difference))
        }
        return targets
    }

    private func incomplete(part: Int, parsed: ParsedPart, headers: HeaderMap) -> [CellNote] {
        headers.targets.enumerated().compactMap { column, target in
            guard let target, target.part == part, parsed.values[target.field] != nil else { return nil }
            return CellNote(column: column, header: headers.headers[column], problem: .incomplete)
        }
    }

    /// The stored row that a part of the same owner is about.
    private func storedRow(
        of position: Int, parsed: ParsedPart, owner: RowID, _ collection: Collection
    ) -> RowID? {
        let part = template.parts[position]
        let candidates = known.rows(ofPart: position, owner: owner)
        func agrees(_ id: RowID, _ field: FieldName, _ value: Value) -> Bool {
            guard let values = known.values(of: id, in: part.collection), let index = collection.position(of: field)
            else { return false }
            if PartDifference.isSame(value, as: values[index], collection.fields[index].kind) { return true }
            // A stored year agrees with the day in the sheet that makes it more exact.
            guard case .partialDate = collection.fields[index].kind, let new = value.text, let old = values[index].text
            else { return false }
            return new.hasPrefix(old)
        }
        let said = parsed.values.merging(parsed.given) { own, _ in own }.filter { !part.importMoment.contains($0.key) }
        func isBlank(_ id: RowID, _ field: FieldName) -> Bool {
            guard let values = known.values(of: id, in: part.collection), let index = collection.position(of: field)
            else { return true }
            return values[index].isNull
        }
        for fields in part.identity {
            guard let first = fields.first, let sure = said[first] else { continue }
            let found = candidates.first { id in
                agrees(id, first, sure)
                    && fields.dropFirst().allSatisfy { field in
                        guard let value = said[field] else { return true }
                        return isBlank(id, field) || agrees(id, field, value)
                    }
            }
            if let found { return found }
        }
        guard part.identity.isEmpty else { return nil }
        if let same = candidates.first(where: { id in said.allSatisfy { agrees(id, $0.key, $0.value) } }) {
            return same
        }
        return collection.syncClass != .appendOnly && candidates.count == 1 ? candidates[0] : nil
    }

    private mutating func write(
        _ row: ParsedRow, to root: RowID?, suspicion: ImportPlan.Suspicion?, headers: HeaderMap
    ) -> ImportPlan.Row {
        var notes = row.notes
        let targets = targets(of: row, root: root, makeID: makeID, notes: &notes, headers: headers)
        let subject = targets.first { $0.part == 0 }?.id
        let earlier = root.flatMap { claims[$0] }
        var suspicion = suspicion
        var fields: [ImportPlan.FieldChange] = []
        var changes: [ImportPlan.RowChange] = []
        for target in targets {
            let part = template.parts[target.part]
            var values = target.isNew ? target.references : [:]
            for (field, change) in target.difference.changes.sorted(by: { $0.key < $1.key }) {
                fields.append(
                    ImportPlan.FieldChange(
                        part: part.name, collection: part.collection, id: target.id, field: field, old: change.old,
                        new: change.new))
                if let earlier, !change.old.isNull {
                    suspicion = .contradicts(row: earlier)
                } else {
                    values[field] = change.new
                }
            }
            guard !values.isEmpty else { continue }
            changes.append(
                ImportPlan.RowChange(
                    kind: target.isNew ? .create : .update, collection: part.collection, id: target.id, values: values))
        }
        for change in changes { known.apply(change) }
        if let subject {
            if !changes.isEmpty { known.index(subject) }
            if claims[subject] == nil { claims[subject] = row.row }
        }
        let bucket: ImportPlan.Bucket
        if suspicion != nil {
            bucket = .suspect
        } else if root == nil {
            bucket = .new
        } else {
            bucket = changes.isEmpty ? .unchanged : .updated
        }
        return ImportPlan.Row(
            row: row.row, line: row.line, bucket: bucket, subject: subject, suspicion: suspicion, problem: nil,
            notes: notes, fields: fields, changes: changes)
    }
}
