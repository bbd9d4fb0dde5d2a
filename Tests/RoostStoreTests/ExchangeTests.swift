import GRDB
import RoostSchema
import RoostSync
import Testing

@testable import RoostStore

@Suite struct `The exchange` {
    /// A warden and a tender with two trees, one of them tended.
    private func orchard() async throws -> (world: StoreWorld, warden: DeviceModel, tender: DeviceModel) {
        let world = try StoreWorld()
        try await world.appoint("Wen", "warden")
        try await world.appoint("Tan", "tender")
        try await world.write(
            TrustedEdit(
                "tree", world.id("old apple"), .create,
                [
                    "name": "Old apple", "fruit": "apple", "secret": "hollow", "owner_phone": "+8619900001234",
                ]),
            TrustedEdit("tree", world.id("young pear"), .create, ["name": "Young pear", "fruit": "pear"]),
            TrustedEdit(
                "tending", world.id("t1"), .create,
                ["tree": .id(world.id("old apple")), "picker": .id(world.id("Tan"))]),
            TrustedEdit("picture", world.id("p1"), .create, ["tree": .id(world.id("old apple")), "caption": "in May"]))
        world.clock.advance(1000)
        return (world, try await world.device("desk", of: "Wen"), try await world.device("phone", of: "Tan"))
    }

    @Test func `a first sync brings exactly what the scopes hold, through their projections`() async throws {
        let (world, warden, tender) = try await orchard()
        try await warden.sync()
        try await tender.sync()
        #expect(warden.rows("tree") == [world.id("old apple"), world.id("young pear")])
        #expect(tender.rows("tree") == [world.id("old apple")])
        #expect(tender.rows("picture") == [world.id("p1")])
        #expect(warden.row("tree", world.id("old apple"))?["secret"] == "hollow")
        #expect(tender.row("tree", world.id("old apple"))?["secret"] == nil)
        #expect(!String(decoding: tender.lastAnswer, as: UTF8.self).contains("hollow"))
        #expect(tender.rows("picker") == [world.id("Wen"), world.id("Tan")])
    }

    @Test func `an idle exchange is small and changes nothing`() async throws {
        let (_, _, tender) = try await orchard()
        try await tender.sync()
        let request = tender.request()
        let answer = try await tender.exchange(request)
        #expect(answer.scopes.isEmpty && answer.lost.isEmpty && answer.verdicts.isEmpty)
        #expect(request.json.count + tender.lastAnswer.count < 500)
    }

    @Test func `pages of any size bring the same rows`() async throws {
        let (world, warden, _) = try await orchard()
        for index in 0..<200 {
            try await world.write(
                TrustedEdit(
                    "tree", world.id("tree \(index)"), .create, ["name": .text(String(repeating: "长", count: 30))]))
        }
        try await warden.sync()
        let other = try await world.device("small", of: "Wen")
        try await other.sync(page: 4096)
        #expect(other.copies == warden.copies)
        #expect(other.rows("tree").count == 202)
    }

    @Test func `edits of different fields merge, of one field the later wins, in all orders of arrival`() async throws {
        var endings: Set<[String: Value]> = []
        for order in permutations([0, 1, 2, 3]) {
            let (world, first, tender) = try await orchard()
            let devices = [
                first, try await world.device("laptop", of: "Wen"), tender, try await world.device("tablet", of: "Tan"),
            ]
            for device in devices { try await device.sync() }
            let tree = world.id("old apple")
            devices[0].edit("tree", tree, .edit, ["crop": 1, "name": "From the desk"])
            world.clock.advance(5)
            devices[1].edit("tree", tree, .edit, ["fruit": "pear", "name": "From the laptop"])
            world.clock.advance(5)
            devices[2].edit("tree", tree, .edit, ["owner_phone": "+8619900009999", "name": "From the phone"])
            world.clock.advance(5)
            devices[3].edit("tree", tree, .edit, ["shy": false, "name": "From the tablet"])
            world.clock.advance(5)
            for index in order { try await devices[index].sync() }
            for device in devices { try await device.sync() }
            let shown = try #require(devices[0].row("tree", tree))
            for device in devices { #expect(device.row("tree", tree)?["name"] == "From the tablet") }
            endings.insert(shown)
            // Three values lost against somebody who had not seen them: each is a conflict that all four see.
            for device in devices { #expect(device.rows("conflict").count >= 3) }
        }
        #expect(endings.count == 1)
        #expect(endings.first?["crop"] == 1)
        #expect(endings.first?["fruit"] == "pear")
    }

    @Test(arguments: [0, 90] as [Int64])
    func `a body that takes its time makes no clock slow and moves no edit`(seconds: Int64) async throws {
        let (world, warden, _) = try await orchard()
        try await warden.sync()
        warden.edit("tree", world.id("old apple"), .edit, ["name": "On the way"])
        let (request, arrived) = (warden.request(), world.clock.now)
        world.clock.advance(seconds * 1000)
        let (bytes, summary) = try await world.store.exchange(
            request, device: warden.device, mutationLimit: 1, pageBytes: 1 << 20, arrived: arrived)
        let answer = try ExchangeAnswer(json: bytes)
        #expect(answer.offset == 0 && summary.offset == 0)
        #expect(answer.now == world.clock.now)
        #expect(answer.verdicts.first?.stamp?.time == request.mutations[0].time)
    }

    @Test func `a later edit that saw the value wins even from a clock two years slow`() async throws {
        let (world, warden, tender) = try await orchard()
        let tree = world.id("old apple")
        try await warden.sync()
        warden.edit("tree", tree, .edit, ["name": "First"])
        try await warden.sync()
        tender.skew = -2 * 365 * 86_400_000
        try await tender.sync()
        #expect(tender.row("tree", tree)?["name"] == "First")
        tender.edit("tree", tree, .edit, ["name": "Second"])
        try await tender.sync()
        try await warden.sync()
        #expect(warden.row("tree", tree)?["name"] == "Second")
        #expect(warden.rows("conflict").isEmpty)
    }

    @Test func `a clock two years fast is corrected and does not win by it`() async throws {
        let (world, warden, tender) = try await orchard()
        let tree = world.id("old apple")
        tender.skew = 2 * 365 * 86_400_000
        try await warden.sync()
        try await tender.sync()
        tender.edit("tree", tree, .edit, ["name": "From the future"])
        world.clock.advance(60_000)
        warden.edit("tree", tree, .edit, ["name": "A minute later"])
        world.clock.advance(60_000)
        // The fast device tells the same wrong time when it syncs, so its offset is known.
        try await tender.sync()
        try await warden.sync()
        try await tender.sync()
        #expect(warden.row("tree", tree)?["name"] == "A minute later")
        #expect(tender.row("tree", tree)?["name"] == "A minute later")
    }

    @Test func `a repeat gets the same verdict byte for byte and has no effect`() async throws {
        let (world, warden, _) = try await orchard()
        try await warden.sync()
        warden.edit("tree", world.id("old apple"), .edit, ["crop": 7])
        let request = warden.request()
        let first = try await warden.exchange(request)
        let verdicts = first.verdicts.map(\.json)
        let before = try await dump(world)
        for _ in 0..<3 {
            let again = try await warden.exchange(request)
            #expect(again.verdicts.map(\.json) == verdicts)
        }
        #expect(try await dump(world) == before)
    }

    @Test func `a gap gets the expected number and what follows it is not applied`() async throws {
        let (world, warden, _) = try await orchard()
        try await warden.sync()
        warden.edit("tree", world.id("old apple"), .edit, ["crop": 1])
        let missing = warden.pending.removeFirst()
        warden.edit("tree", world.id("old apple"), .edit, ["crop": 2])
        let answer = try await warden.exchange(warden.request())
        #expect(answer.expected == missing.number)
        #expect(answer.verdicts.isEmpty)
        warden.pending.insert(missing, at: 0)
        try await warden.sync()
        #expect(warden.row("tree", world.id("old apple"))?["crop"] == 2)
    }

    @Test func `a reassigned tree leaves the old tender with everything about it and reaches the new one`() async throws
    {
        let (world, warden, tan) = try await orchard()
        try await world.appoint("Ou", "tender")
        let ou = try await world.device("phone", of: "Ou")
        try await warden.sync()
        try await tan.sync()
        try await ou.sync()
        #expect(ou.rows("tree").isEmpty)
        warden.edit("tending", world.id("t1"), .edit, ["state": "ended"], group: 1)
        warden.edit(
            "tending", world.id("t2"), .create,
            ["tree": .text(world.id("old apple").description), "picker": .text(world.id("Ou").description)],
            group: 1)
        world.clock.advance(10)
        try await warden.sync()
        #expect(warden.verdicts.values.allSatisfy { $0.outcome == .applied })
        try await tan.sync()
        try await ou.sync()
        #expect(tan.rows("tree").isEmpty && tan.rows("picture").isEmpty && tan.rows("tending").isEmpty)
        #expect(ou.rows("tree") == [world.id("old apple")] && ou.rows("picture") == [world.id("p1")])
    }

    @Test func `losing the role loses the scope, after any absence`() async throws {
        let (world, _, tender) = try await orchard()
        try await tender.sync()
        try await world.write(TrustedEdit("appointment", world.id("Tan tender"), .edit, ["active": false]))
        world.clock.advance(400 * 86_400_000)
        try await tender.sync()
        #expect(tender.rows("tree").isEmpty)
        #expect(tender.cursors.keys.allSatisfy { $0.kind == "yard" })
    }

    @Test func `an edit made before the tree was taken away is late inside the grace period and quarantined after`()
        async throws
    {
        for (days, outcome) in [(Int64(1), Verdict.Outcome.late), (100, .quarantined)] {
            let (world, _, tender) = try await orchard()
            try await tender.sync()
            let number = tender.edit("tree", world.id("old apple"), .edit, ["crop": 9])
            world.clock.advance(60_000)
            try await world.write(TrustedEdit("tending", world.id("t1"), .edit, ["state": "ended"]))
            world.clock.advance(days * 86_400_000)
            try await tender.sync()
            #expect(tender.verdicts[number]?.outcome == outcome)
            let tree = try #require(try await world.store.rows("tree", ids: [world.id("old apple")]).first)
            #expect(tree.values[5] == (outcome == .late ? 9 : .null))
            let after = tender.edit("tree", world.id("old apple"), .edit, ["crop": 10])
            try await tender.sync()
            #expect(tender.verdicts[after]?.refusal == .outOfScope)
        }
    }

    @Test func `a hidden row and a missing row are refused alike`() async throws {
        let (world, _, tender) = try await orchard()
        try await tender.sync()
        let hidden = tender.edit("tree", world.id("young pear"), .edit, ["name": "x"])
        let missing = tender.edit("tree", world.id("nowhere"), .edit, ["name": "x"])
        try await tender.sync()
        let first = try #require(tender.verdicts[hidden])
        let second = try #require(tender.verdicts[missing])
        #expect(first.refusal == .outOfScope)
        #expect(
            Verdict(number: 0, outcome: first.outcome, refusal: first.refusal)
                == Verdict(number: 0, outcome: second.outcome, refusal: second.refusal))
    }

    @Test func `one refused edit does not stop the rest, and a group applies whole or not at all`() async throws {
        let (world, _, tender) = try await orchard()
        let tree = world.id("old apple")
        try await tender.sync()
        let bad = tender.edit("tree", tree, .edit, ["secret": "told"])
        let good = tender.edit("tree", tree, .edit, ["crop": 3])
        let grouped = tender.edit("tree", tree, .edit, ["crop": 99], group: 5)
        let spoiler = tender.edit("tree", tree, .edit, ["crop": -1], group: 5)
        try await tender.sync()
        #expect(tender.verdicts[bad]?.refusal == .forbidden)
        #expect(tender.verdicts[good]?.outcome == .applied)
        #expect(tender.verdicts[grouped]?.refusal == .dependsOn)
        #expect(tender.verdicts[spoiler]?.refusal == .invalid)
        #expect(tender.verdicts[spoiler]?.about == "crop")
        #expect(tender.row("tree", tree)?["crop"] == 3)
    }

    @Test func `a limit holds, and a stale edit of an authoritative row is refused`() async throws {
        let (world, warden, _) = try await orchard()
        let other = try await world.device("laptop", of: "Wen")
        try await warden.sync()
        try await other.sync()
        let second = warden.edit(
            "tending", world.id("t9"), .create,
            ["tree": .text(world.id("old apple").description), "picker": .text(world.id("Wen").description)])
        warden.edit("tending", world.id("t1"), .edit, ["state": "ended"])
        try await warden.sync()
        #expect(warden.verdicts[second]?.refusal == .limit)
        #expect(warden.verdicts[second]?.about == "one_tender")
        let stale = other.edit("tending", world.id("t1"), .edit, ["state": "ended"])
        try await other.sync()
        #expect(other.verdicts[stale]?.refusal == .stale)
    }

    @Test func `deletion hides a row everywhere, an edit does not bring it back, and restoring does`() async throws {
        let (world, warden, tender) = try await orchard()
        let tree = world.id("old apple")
        try await warden.sync()
        try await tender.sync()
        warden.edit("tree", tree, .delete)
        let late = tender.edit("tree", tree, .edit, ["crop": 4])
        try await warden.sync()
        try await tender.sync()
        #expect(tender.verdicts[late]?.deleted == true)
        #expect(tender.row("tree", tree) == nil && warden.row("tree", tree) == nil)
        warden.edit("tree", tree, .restore)
        try await warden.sync()
        try await tender.sync()
        #expect(warden.row("tree", tree)?["crop"] == 4)
        #expect(tender.row("tree", tree)?["crop"] == 4)
    }

    @Test func `a mask is seen instead of the value, and writing the mask back changes nothing`() async throws {
        let (world, warden, tender) = try await orchard()
        let tree = world.id("old apple")
        try await warden.sync()
        warden.edit("tree", tree, .edit, ["shy": true])
        try await warden.sync()
        try await tender.sync()
        #expect(tender.row("tree", tree)?["owner_phone"] == "199****1234")
        #expect(!String(decoding: tender.lastAnswer, as: UTF8.self).contains("19900001234"))
        let same = tender.edit("tree", tree, .edit, ["crop": 5, "owner_phone": "199****1234"])
        try await tender.sync()
        // The mask is not a phone number, so a client that sends it back says what it saw and no more.
        #expect(tender.verdicts[same]?.outcome == .applied)
        let other = tender.edit("tree", tree, .edit, ["owner_phone": "+8619900007777"])
        try await tender.sync()
        #expect(tender.verdicts[other]?.outcome == .quarantined)
        try await warden.sync()
        #expect(warden.row("tree", tree)?["owner_phone"] == "+8619900001234")
        #expect(warden.row("tree", tree)?["crop"] == 5)
    }

    @Test func `an edit of a row that went with its import waits for a person, and the row stays gone`() async throws {
        let (world, warden, tender) = try await orchard()
        let (tree, kept, batch) = (world.id("imported"), world.id("young pear"), world.id("batch"))
        let (link, tan) = (world.id("t2"), world.id("Tan"))
        try await world.store.commitImport(
            ImportDraft(id: batch, officer: world.id("Wen"), source: "trees.csv", template: ""),
            reading: ["tree", "tending"]
        ) { _ in
            PlannedImport(
                edits: [
                    TrustedEdit("tree", tree, .create, ["name": "Imported"]),
                    TrustedEdit("tending", link, .create, ["tree": .id(tree), "picker": .id(tan)]),
                ], counts: [:], outcome: ())
        }
        for device in [warden, tender] { try await device.sync() }
        world.clock.advance(1000)
        let edits = [
            (tender, tender.edit("tree", tree, .edit, ["crop": 7])),
            (warden, warden.edit("tree", tree, .edit, ["crop": 8])),
        ]
        let other = warden.edit("tree", kept, .edit, ["crop": 9])
        world.clock.advance(1000)
        #expect(try await world.store.undoImport(batch, by: world.id("Wen")).deleted == 2)
        for (device, number) in edits {
            try await device.sync()
            #expect(device.verdicts[number]?.outcome == .quarantined)
        }
        #expect(warden.verdicts[other]?.outcome == .applied)
        let live = try await world.store.rows("tree", ids: [tree])
        #expect(live.isEmpty)
        let reasons = try await world.store.pool.read { db in
            try String.fetchAll(db, sql: "SELECT reason FROM quarantine WHERE state = 'pending'")
        }
        #expect(reasons == ["import_undone", "import_undone"])
        // Who brings the row back has decided: its edits merge again.
        warden.edit("tree", tree, .restore)
        try await warden.sync()
        let restored = try #require(warden.row("tree", tree))
        #expect(restored["crop"] ?? .null == .null)
        let again = warden.edit("tree", tree, .edit, ["crop": 8])
        try await warden.sync()
        #expect(warden.verdicts[again]?.outcome == .applied)
        #expect(warden.row("tree", tree)?["crop"] == 8)
    }

    @Test func `unknown fields are kept and relayed to scopes that see everything`() async throws {
        let (world, warden, tender) = try await orchard()
        let tree = world.id("old apple")
        try await warden.sync()
        warden.edit("tree", tree, .edit, ["bark": .list(["rough", 3])])
        try await warden.sync()
        let other = try await world.device("laptop", of: "Wen")
        try await other.sync()
        try await tender.sync()
        #expect(other.row("tree", tree)?["bark"] == .list(["rough", 3]))
        #expect(tender.row("tree", tree)?["bark"] == nil)
    }

    private func dump(_ world: StoreWorld) async throws -> [String] {
        try await world.store.pool.read { db in
            var lines: [String] = []
            for table in ["tree", "member", "history", "verdict", "authority", "conflict"] {
                let rows = try GRDBRow.fetchAll(db, sql: "SELECT * FROM \(table)")
                lines += rows.map { "\(table) \($0)" }
            }
            return lines
        }
    }
}
