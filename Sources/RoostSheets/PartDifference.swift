import RoostSchema
import RoostText

/// What one part of a row changes of a stored row.
struct PartDifference {
    /// New values by field.
    var changes: [FieldName: (old: Value, new: Value)] = [:]
    /// Cells that turned out to be masked text of something else.
    var refused: [CellNote] = []

    var isEmpty: Bool { changes.isEmpty }

    /// Compares what a row says with what is stored.
    ///
    /// A blank cell changes nothing, nor does a less exact date, a name in the other script, masked text that masks what
    /// is stored, or a value that was only inferred where something is known.
    init(of parsed: ParsedPart, from stored: [Value], in collection: Collection) {
        for (name, value) in parsed.values {
            guard let position = collection.position(of: name) else { continue }
            let old = stored[position]
            if Self.isSame(value, as: old, collection.fields[position].kind) { continue }
            if parsed.inferred.contains(name), !old.isNull { continue }
            changes[name] = (old, value)
        }
        for (name, value) in parsed.given {
            guard let position = collection.position(of: name), stored[position].isNull, !value.isNull else { continue }
            changes[name] = (.null, value)
        }
        for (name, cell) in parsed.masked {
            guard let position = collection.position(of: name) else { continue }
            let old = stored[position]
            let visible = collection.fields[position].mask.applied(to: old)
            let text = cell.text.filter { $0 != " " }
            if [old.text, visible.text].contains(where: { $0?.filter { $0 != " " } == text }) { continue }
            refused.append(cell.note)
        }
    }

    /// Whether a value says nothing that is not stored already.
    static func isSame(_ value: Value, as old: Value, _ kind: FieldKind) -> Bool {
        if value == old { return true }
        guard let new = value.text, let old = old.text else { return false }
        switch kind {
        case .partialDate: return old.hasPrefix(new)
        case .personName: return HanFolding.matchingKey(new) == HanFolding.matchingKey(old)
        default: return false
        }
    }
}
