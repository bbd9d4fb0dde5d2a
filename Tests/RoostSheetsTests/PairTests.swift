import RoostModel
import RoostSchema
import RoostSheets
import Testing

/// Which rows of the sheets are found to be the same person, against the manifest's truth.
struct PairTests {
    @Test(arguments: [
        (Rosters.bureau, Rosters.members), (Rosters.bureau, Rosters.bureau), (Rosters.members, Rosters.members),
    ])
    func `people are recognised by exact and strong evidence without a wrong match`(a: String, b: String) throws {
        let pairs = try #require(try Rosters.manifest.get().pairs.first { $0.a == a && $0.b == b })
        var store = MemoryStore()
        let first = store.plan(try Rosters.parse(a))
        let second: ImportPlan
        if a == b {
            second = first
        } else {
            store.apply(first)
            second = store.plan(try Rosters.parse(b))
        }
        let subjectsOfA = Dictionary(
            uniqueKeysWithValues: first.rows.compactMap { row in row.subject.map { (row.row, $0) } })
        let subjectsOfB = Dictionary(
            uniqueKeysWithValues: second.rows.compactMap { row in row.subject.map { (row.row, $0) } })

        for link in pairs.links where link.evidence == "exact" || link.evidence == "strong" {
            let isFound = subjectsOfA[link.a_row] != nil && subjectsOfA[link.a_row] == subjectsOfB[link.b_row]
            #expect(isFound, "\(link.evidence): rows \(link.a_row) and \(link.b_row)")
        }
        for link in pairs.not_links {
            #expect(
                subjectsOfA[link.a_row] != subjectsOfB[link.b_row],
                "different people, \(link.evidence): rows \(link.a_row) and \(link.b_row)")
        }
        // Precision: whatever is merged is a true link, directly or through a third row.
        let truth = Set(
            try Rosters.manifest.get().pairs.filter { [$0.a, $0.b].allSatisfy { $0 == a || $0 == b } }
                .flatMap { pairs in pairs.links.map { "\(pairs.a) \($0.a_row) \(pairs.b) \($0.b_row)" } })
        for (rowOfB, subject) in subjectsOfB {
            for (rowOfA, other) in subjectsOfA where other == subject && (a != b || rowOfA < rowOfB) {
                let isTrue = truth.contains("\(a) \(rowOfA) \(b) \(rowOfB)")
                #expect(isTrue, "rows \(rowOfA) and \(rowOfB) were taken for one person")
            }
        }
    }

    @Test func `weak look-alikes are asked about, never merged`() throws {
        var store = MemoryStore()
        let first = store.plan(try Rosters.parse(Rosters.bureau))
        store.apply(first)
        let second = store.plan(try Rosters.parse(Rosters.members))
        let pairs = try #require(
            try Rosters.manifest.get().pairs.first { $0.a == Rosters.bureau && $0.b == Rosters.members })
        let subjects = Dictionary(
            uniqueKeysWithValues: first.rows.compactMap { row in row.subject.map { (row.row, $0) } })
        let rows = Dictionary(uniqueKeysWithValues: second.rows.map { ($0.row, $0) })
        let weak = pairs.links.filter { $0.evidence == "weak" }
        let asked = weak.filter { link in
            guard case .looksLike(let candidates, _) = rows[link.b_row]?.suspicion, let subject = subjects[link.a_row]
            else { return false }
            return candidates.contains(subject)
        }
        #expect(!weak.isEmpty)
        #expect(asked.count == weak.count)
    }

    @Test func `families that share a telephone are never one person`() throws {
        var store = MemoryStore()
        let plan = store.plan(try Rosters.parse(Rosters.bureau))
        let subjects = Dictionary(
            uniqueKeysWithValues: plan.rows.compactMap { row in row.subject.map { (row.row, $0) } })
        for pair in try Rosters.manifest.get().shared_phones.rows {
            #expect(subjects[pair[0]] != subjects[pair[1]])
        }
    }
}
