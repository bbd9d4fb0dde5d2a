import RoostSchema
import RoostStore
import RoostSync

/// The students of one liaison officer, who sees these and nobody else.
struct Caseload {
    let officer: RowID
    let rows: [RowID]

    init(of officer: RowID, students: Int) {
        self.officer = officer
        rows = (0..<students).map { RowID(naming: "bench caseload", "\(officer) \($0)") }
    }

    var edits: [TrustedEdit] {
        rows.flatMap { row in
            [
                TrustedEdit("student", row, .create, ["name": "谭梓森", "birth": "2004-05-06"]),
                TrustedEdit(
                    "liaison", RowID(naming: "bench link", row.description), .create,
                    ["student": .id(row), "officer": .id(officer), "kind": "liaison", "state": "active"]),
            ]
        }
    }

    /// Those that make the officer one.
    var appointment: [TrustedEdit] {
        [
            TrustedEdit("officer", officer, .create, ["name": "liaison"]),
            TrustedEdit(
                "authority_grant", RowID(naming: "bench grant", officer.description), .create,
                ["officer": .id(officer), "role": "liaison"]),
        ]
    }
}
