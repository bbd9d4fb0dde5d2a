import RoostSchema
import RoostSync

/// Students with twenty fields, the same in every run.
struct BenchRows {
    private(set) var ids: [RowID] = []
    /// The stamps under which rows were last changed.
    private var stamps: [RowID: Stamp] = [:]
    private var clock = HybridClock(last: HybridTime(bits: 0))
    private(set) var number: Int64 = 0

    /// The twenty values as plain text, for the baseline.
    static func plain(_ index: Int) -> [String] {
        fields(index).map { change in
            switch change.value {
            case .text(let text): text
            default: String(decoding: change.value.json, as: UTF8.self)
            }
        }
    }

    /// A changeset of new students.
    mutating func creations(_ count: Int, now: Milliseconds) -> [Mutation] {
        (0..<count).map { _ in
            number += 1
            let scattered = UInt128(number) &* 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835
            let id = RowID(milliseconds: now.value, random: scattered)
            ids.append(id)
            return Mutation(
                number: number, collection: "student", row: id, action: .create, time: clock.tick(now: now),
                changes: Self.fields(ids.count))
        }
    }

    /// A changeset that sets three fields of known students, by an author who saw them.
    mutating func edits(_ range: Range<Int>, now: Milliseconds) -> [Mutation] {
        range.map { index in
            number += 1
            return Mutation(
                number: number, collection: "student", row: ids[index], action: .edit, time: clock.tick(now: now),
                base: stamps[ids[index]],
                changes: [
                    Mutation.Change("tier", number % 2 == 0 ? "key" : "normal"),
                    Mutation.Change("wechat", .text("zz\(number)_\(index)")),
                    Mutation.Change("return_intent", number % 2 == 0 ? "yes" : "no"),
                ])
        }
    }

    /// Remembers under which stamps changes were filed.
    mutating func note(_ mutations: [Mutation], _ verdicts: [Verdict]) {
        for (mutation, verdict) in zip(mutations, verdicts) { stamps[mutation.row] = verdict.stamp }
    }

    /// Rows that others made.
    init(ids: [RowID] = []) { self.ids = ids }

    /// The same rows, for a replica that has pushed nothing yet.
    var forAnotherReplica: BenchRows {
        var rows = self
        rows.number = 0
        return rows
    }

    private static func fields(_ index: Int) -> [Mutation.Change] {
        let digits = String(10_000_000 + index % 90_000_000)
        return [
            Mutation.Change("name", .text("谭梓森")), Mutation.Change("pinyin", "tan zi sen"),
            Mutation.Change("other_name", .text("Alex \(index)")), Mutation.Change("gender", "1"),
            Mutation.Change("birth", "2004-05-06"), Mutation.Change("home_div", "440784001"),
            Mutation.Change("home_name", "沙坪街道"), Mutation.Change("mobile", .text("+86199" + digits)),
            Mutation.Change("mobile_state", "ok"), Mutation.Change("wechat", .text("zz00_\(index)")),
            Mutation.Change("email", .text("a\(index)@example.invalid")), Mutation.Change("return_intent", "maybe"),
            Mutation.Change("tier", "normal"), Mutation.Change("tags", .list([.text("机械"), .text("竞赛")])),
            Mutation.Change("skills", .list([.text("焊接")])), Mutation.Change("wish_city", .list([.text("江门")])),
            Mutation.Change("note_public", .text("备注文字 \(index)")),
            Mutation.Change("verified_at", .integer(1_700_000_000_000)),
            // Two that this version does not know: kept and relayed like the rest.
            Mutation.Change("bench_origin", "bench"), Mutation.Change("bench_index", .integer(Int64(index))),
        ]
    }
}
