import RoostSchema
package import RoostStore
import RoostModel
import RoostSync

/// Says who answers for a student from now on.
///
/// Exactly one person does, so for a liaison officer the link in force ends and the new one begins together, or neither
/// does. Whoever may not decide that proposes it, and a registrar who assigns the same officer takes the proposal up.
package struct Assigning {
    private let desk: Desk
    private let links: RoostSchema.Collection

    package enum Outcome: Hashable, Sendable { case assigned, proposed }

    package init(_ desk: Desk) throws {
        self.desk = desk
        links = try desk.collection("liaison")
    }

    /// Queues the assignment as one group.
    ///
    /// The officer is an id, a name or `me`; the kind a code or label of `liaison.kind`.
    @discardableResult
    package func assign(_ student: ShownRow, to officer: String, as kind: String, reason: String?) throws -> Outcome {
        var typed = ["officer=" + officer, "kind=" + kind]
        if let reason { typed.append("reason=" + reason) }
        var values = try Assignments(desk, in: [links.name]).values(typed)[links.name] ?? [:]
        let me = Value.id(desk.enrolled.officer)
        values.merge(["student": .id(student.row.key.id), "arranged_by": me]) { $1 }

        let assigned = values.merging(
            ["state": "active", "occasion": "assignment", "begins_on": .text(today)]) { $1 }
        let writable = Writable(catalogue: desk.catalogue, officer: desk.enrolled.officer, grants: try desk.grants())
        guard writable.creates(links.name, assigned) else {
            let proposed = values.merging(["state": "proposed", "occasion": "hand_over"]) { $1 }
            guard writable.creates(links.name, proposed) else { throw ClientError.notAllowed }
            try queue([try creation(proposed)])
            return .proposed
        }

        let others = try desk.rows(of: links.name, about: student.row.key.id)
            .filter { self[$0, "kind"] == values["kind"] && !$0.row.isDeleted }
        let same = others.filter { self[$0, "officer"] == values["officer"] }
        if same.contains(where: { self[$0, "state"] == "active" }) { throw ClientError.nothingToChange }
        var edits: [Edit] = []
        if values["kind"] == "liaison" {
            for other in others where self[other, "state"] == "active" {
                edits.append(
                    try change(other, ["state": "ended", "ends_on": .text(today), "end_reason": "transfer"]))
            }
        }
        if let proposal = same.first(where: { self[$0, "state"] == "proposed" }) {
            edits.append(try change(proposal, ["state": "active", "begins_on": .text(today)]))
        } else {
            edits.append(try creation(assigned))
        }
        try queue(edits)
        return .assigned
    }

    private subscript(_ link: ShownRow, _ field: FieldName) -> Value? {
        links.position(of: field).map { link.row.values[$0] }
    }

    private func creation(_ values: [FieldName: Value]) throws -> Edit {
        let changes = try EditCheck(desk.replica.rules, links).creation(values)
        return Edit(links.name, desk.environment.newRow(), .create, changes)
    }

    private func change(_ link: ShownRow, _ values: [FieldName: Value]) throws -> Edit {
        let (changes, _) = try EditCheck(desk.replica.rules, links).changes(values, of: link, in: try desk.scopes())
        return Edit(links.name, link.row.key.id, .edit, changes)
    }

    private func queue(_ edits: [Edit]) throws {
        try desk.replica.queue(edits, grouped: edits.count > 1, at: desk.environment.moment)
    }

    /// The day in China, which keeps one offset all year.
    private var today: String {
        let days = (desk.environment.now().value + 8 * 3_600_000) / 86_400_000
        let date = PartialDate.civil(daysSinceEpoch: Int(days))
        func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(date.year)-\(padded(date.month))-\(padded(date.day))"
    }
}
