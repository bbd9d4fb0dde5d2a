import Testing

/// Four devices edit one student offline and sync in every order.
extension Journey {
    /// A field for each device of its own, in the order of ``editors``, with what it writes there.
    private static let own = [
        ("pinyin", "said first"), ("other_name", "said second"), ("home_name", "镇上"), ("gender", "9"),
    ]

    private func remark(of device: Device) -> String { "said by \(device.name)" }

    /// Who edits last in a round, which is somebody else each time.
    private func winner(in round: Int) -> Device { editors[(round + 3) % 4] }

    /// Plays one round for each order, each on a student of its own, who must be known to all devices.
    func editInEveryOrder(_ students: [String]) async throws {
        let orders = Self.orders(of: [0, 1, 2, 3])
        try #require(orders.count == students.count)
        for (round, order) in orders.enumerated() {
            for turn in 0..<4 {
                let index = (round + turn) % 4
                let (field, value) = Self.own[index]
                try await editors[index].roost(
                    "students", "edit", students[round], "note_public=\(remark(of: editors[index]))",
                    "\(field)=\(value)")
            }
            try await sync(order.map { editors[$0] })
        }
        try await sync(editors)
    }

    /// Every device shows the last edit of the contested field, and each author's edit of the others.
    func expectOneWinner(_ students: [String]) async throws {
        for device in editors {
            let shown = Dictionary(
                try await device.roost("students", "list").list.map { ($0["id"].text ?? "", $0["fields"]) },
                uniquingKeysWith: { first, _ in first })
            for (round, student) in students.enumerated() {
                let fields = shown[student] ?? .null
                #expect(fields["note_public"].text == remark(of: winner(in: round)), "\(device.name), round \(round)")
                for (field, value) in Self.own {
                    #expect(fields[field].text == value, "\(field) on \(device.name), round \(round)")
                }
            }
        }
    }

    /// Every losing value is listed where the field is seen, beside each two edits of other fields, and nothing else is.
    func expectLosersListed(_ students: [String]) async throws {
        for device in editors {
            let listed = try await device.roost("conflicts").list
            #expect(listed.count { $0["kind"] == "hard" } == students.count * 3, "\(device.name)")
            // Of four people each of two is noted once.
            #expect(listed.count { $0["kind"] == "soft" } == students.count * 6, "\(device.name)")
            for (round, student) in students.enumerated() {
                let losers = Set(editors.map { remark(of: $0) }).subtracting([remark(of: winner(in: round))])
                let conflicts = listed.filter { $0["row"].text == student && $0["kind"] == "hard" }
                #expect(Set(conflicts.compactMap(\.["losing"].text)) == losers, "\(device.name), round \(round)")
                #expect(conflicts.allSatisfy { $0["current"].text == remark(of: winner(in: round)) })
            }
        }
    }

    /// A losing value is taken back by one person and then shown to all.
    func restoreALoser(of student: String) async throws {
        let conflict = try #require(
            try await liaison.roost("conflicts").list.first { $0["row"].text == student })
        let value = try #require(conflict["losing"].text)
        let id = try #require(conflict["id"].text)
        try await liaison.roost("conflicts", "restore", id)
        try await sync([liaison, registrar, laptop, phone])
        for device in editors {
            #expect(try await fields(of: student, on: device)["note_public"].text == value, "\(device.name)")
            #expect(!(try await device.roost("conflicts").list.contains { $0["id"].text == id }), "\(device.name)")
        }
    }

    /// Every order of the elements.
    private static func orders(of elements: [Int]) -> [[Int]] {
        guard elements.count > 1 else { return [elements] }
        return elements.flatMap { first in
            orders(of: elements.filter { $0 != first }).map { [first] + $0 }
        }
    }
}
