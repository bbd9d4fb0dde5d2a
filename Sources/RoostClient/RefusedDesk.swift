package import RoostStore
import RoostSchema
import RoostSheets
import RoostSync

extension Desk {
    /// The refused edit of a number as `rejected list` shows it.
    package func refused(_ text: String) throws -> AnsweredMutation {
        guard let id = Int64(text), let found = try replica.refused().first(where: { $0.id == id }) else {
            throw ClientError.noSuchEntry(text)
        }
        return found
    }

    /// The edits that were refused together with this one, itself included, in their order.
    package func group(of refused: AnsweredMutation) throws -> [AnsweredMutation] {
        guard let group = refused.mutation?.group else { return [refused] }
        return try replica.refused().filter { $0.mutation?.group == group }
    }

    /// Queues a refused edit again, with values replaced, and the rest of its group with it.
    ///
    /// Each becomes a new edit based on what the person sees now; verdicts are final, so it also gets a new number.
    package func resubmit(_ refused: AnsweredMutation, replacing assignments: [String]) throws {
        let group = try group(of: refused)
        let words = FieldWords(
            catalogue: catalogue, directory: try ReferenceLists().directory(replica))
        var replaced: [FieldName: Value] = [:]
        for text in assignments {
            let assignment = try words.assignment(text, in: [CollectionName(refused.collection)])
            switch assignment.value {
            case .blank: replaced[assignment.field.name] = .null
            case .value(let value): replaced[assignment.field.name] = value
            case .masked(let words), .unresolved(let words):
                throw ClientError.unknownName(assignment.field.label, words: words)
            }
        }
        var edits: [Edit] = []
        for member in group {
            guard let mutation = member.mutation else { continue }
            let collection = try collection(CollectionName(mutation.collection))
            var changes = mutation.changes
            if member.id == refused.id {
                changes.removeAll { replaced[FieldName($0.field)] != nil }
                for field in collection.fields {
                    guard let value = replaced[field.name], !(value.isNull && mutation.action == .create) else {
                        continue
                    }
                    if !value.isNull, let problem = field.kind.problem(with: value) {
                        throw ClientError.invalidValue(field.label, advice: problem.advice)
                    }
                    changes.append(Mutation.Change(field.name.text, value))
                }
            }
            edits.append(Edit(collection.name, mutation.row, mutation.action, changes))
        }
        try replica.resubmit(group.compactMap(\.id), as: edits, at: environment.moment)
    }

    /// Forgets a refused edit and the rest of its group.
    package func discard(_ refused: AnsweredMutation) throws {
        try replica.discardRefused(try group(of: refused).compactMap(\.id))
    }
}
