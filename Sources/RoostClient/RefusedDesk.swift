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

    /// What goes out again together with a refused edit, itself included, in their order: its group, and the groups that
    /// hang on a creation of these, or on whose creation these hang.
    ///
    /// Sent alone, what hangs on a creation that is not there would only be refused again.
    package func hanging(on refused: AnsweredMutation) throws -> [AnsweredMutation] {
        let box = try replica.refused()
        var found = try group(of: refused)
        var isGrowing = true
        while isGrowing {
            isGrowing = false
            for other in box where !found.contains(where: { $0.id == other.id }) {
                guard found.contains(where: { hangs($0, on: other) || hangs(other, on: $0) }) else { continue }
                found += try group(of: other).filter { member in !found.contains { $0.id == member.id } }
                isGrowing = true
            }
        }
        return found.sorted { ($0.id ?? 0) < ($1.id ?? 0) }
    }

    /// Whether an edit was refused for want of a row that another was to make.
    private func hangs(_ entry: AnsweredMutation, on creation: AnsweredMutation) -> Bool {
        guard entry.verdict.refusal == .dependsOn, let mutation = entry.mutation, let made = creation.mutation,
            made.action == .create
        else { return false }
        return mutation.row == made.row
            || mutation.changes.contains { $0.value.id == made.row || $0.value.text == made.row.description }
    }

    /// Queues a refused edit again, with values replaced, and with it what hangs together with it.
    ///
    /// Each becomes a new edit based on what the person sees now; verdicts are final, so it also gets a new number. What was
    /// a group is one again. Answers with how many edits go out.
    @discardableResult
    package func resubmit(_ refused: AnsweredMutation, replacing assignments: [String]) throws -> Int {
        let members = try hanging(on: refused)
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
        // What is locked would be left out of what goes out again.
        let isWhole = members.allSatisfy { member in
            member.locked.allSatisfy { member.id == refused.id && replaced[FieldName($0)] != nil }
        }
        if !isWhole { try requireLease() }
        var groups: [[Edit]] = []
        var last: Int64?
        for member in members {
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
            let edit = Edit(collection.name, mutation.row, mutation.action, changes)
            if let group = mutation.group, group == last {
                groups[groups.count - 1].append(edit)
            } else {
                groups.append([edit])
            }
            last = mutation.group
        }
        try replica.resubmit(members.compactMap(\.id), as: groups, at: environment.moment)
        return members.count
    }

    /// Forgets a refused edit and the rest of its group.
    package func discard(_ refused: AnsweredMutation) throws {
        try replica.discardRefused(try group(of: refused).compactMap(\.id))
    }
}
