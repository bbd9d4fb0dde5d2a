package import RoostSchema

/// What must be created together with somebody new, so that whoever enters them may and still sees them afterwards.
extension Programme {
    /// A row to create in the same group of mutations as the student.
    package struct Companion: Sendable {
        package let collection: CollectionName
        package let values: [FieldName: Value]
    }

    /// The companions of a new student.
    ///
    /// Outside the mainland a cross-border consent is needed too, which only the person can give: without it the
    /// creation lands in no scope of the coordinator and is refused.
    /// - Parameters:
    ///   - student: the row of the new student.
    ///   - officer: who enters them.
    ///   - role: in which role.
    ///   - target: the chapter of the grant, for coordinators.
    /// - Returns: a link to a liaison officer or a membership of a coordinator's chapter; nothing for other roles.
    package static func companions(
        of student: RowID, enteredBy officer: RowID, as role: RoleName, target: RowID?
    ) -> [Companion] {
        switch role {
        case "liaison":
            return [
                Companion(
                    collection: "liaison",
                    values: [
                        "student": .id(student), "officer": .id(officer), "kind": "liaison", "state": "active",
                        "occasion": "entry", "arranged_by": .id(officer),
                    ])
            ]
        case "coordinator", "coordinator_abroad":
            guard let target else { return [] }
            return [
                Companion(
                    collection: "membership",
                    values: ["chapter": .id(target), "student": .id(student), "state": "active"])
            ]
        default:
            return []
        }
    }
}
