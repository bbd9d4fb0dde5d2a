import RoostSchema
import RoostSync
import Testing

/// Devices of different ages share rows: what one does not know survives its edits.
@Suite struct PayloadEvolutionTests {
    private let structure: Value = .object([
        .init("z", 1), .init("a", .list([true, .null, .real(1.5), .object([.init("深", "x")])])),
    ])

    private func founded() throws -> ClubServer {
        let server = try ClubServer.founded()
        let newer = Mutation.make(
            1, .edit, "tree", Who.apple, at: server.now, ["height": 7, "shape": structure, "name": "apple tree"])
        #expect(try server.push([newer], from: Who.tomsPhone, of: Who.tom).verdicts.map(\.outcome) == [.applied])
        return server
    }

    @Test func `an old device's edit leaves unknown fields alone`() throws {
        let server = try founded()
        let older = Mutation.make(
            1, .edit, "tree", Who.apple, at: server.now, base: server.stamp("name", of: "tree", Who.apple),
            ["name": "old apple tree"])
        try server.push([older], from: Who.piasPhone, of: Who.pia)
        let unknown = try #require(server.row("tree", Who.apple)).unknown
        #expect(unknown.map(\.name) == ["height", "shape"])
        #expect(unknown.map(\.value) == [7, structure])
        #expect(server.value("name", of: "tree", Who.apple) == "old apple tree")
    }

    @Test func `unknown fields go to scopes that may see them and nowhere else`() throws {
        let server = try founded()
        let full = try #require(try server.shown("tree", Who.apple, in: "club"))
        #expect(full["fields"]?["height"] == 7)
        #expect(full["fields"]?["shape"] == structure)
        #expect(full["stamps"]?["height"] != nil)
        for kind in ["orchard", "tender"] {
            let shown = try #require(try server.shown("tree", Who.apple, in: ScopeKindName(kind)))
            #expect(shown["fields"]?["height"] == nil)
            #expect(shown["stamps"]?["height"] == nil)
        }
    }

    @Test func `unknown fields are registers too, and can be cleared`() throws {
        let server = try founded()
        let stamp = try #require(server.row("tree", Who.apple)?.unknown.first?.stamp)
        let clear = Mutation.make(1, .edit, "tree", Who.apple, at: server.now, base: stamp, ["height": .null])
        try server.push([clear], from: Who.wandasLaptop, of: Who.wanda)
        #expect(server.row("tree", Who.apple)?.unknown.first?.value == .null)
        #expect(server.history.map(\.loss.value).contains(7))
        #expect(try server.shown("tree", Who.apple, in: "club")?["fields"]?["height"] == .null)
    }

    @Test func `unknown fields of a creation are kept`() throws {
        let server = try founded()
        let quince = RowID(bits: 0xA009)
        let create = Mutation.make(1, .create, "tree", quince, at: server.now, ["name": "quince", "height": 3])
        try server.push([create], from: Who.wandasLaptop, of: Who.wanda)
        #expect(server.row("tree", quince)?.unknown.map(\.value) == [3])
    }

    @Test(arguments: ["deleted", "Height", "", "a b", String(repeating: "a", count: 42), "\u{0}"])
    func `a name no later catalogue can have is refused`(_ name: String) throws {
        let server = try founded()
        let edit = Mutation.make(1, .edit, "tree", Who.apple, at: server.now, [name: 1])
        let verdict = try #require(try server.push([edit], from: Who.wandasLaptop, of: Who.wanda).verdicts.first)
        #expect(verdict.refusal == .invalid)
        #expect(verdict.problem == "malformed")
    }

    @Test func `an unknown value has a limit too`() throws {
        let server = try founded()
        let huge = Value.text(String(repeating: "x", count: UnknownField.maximumSize))
        let edit = Mutation.make(1, .edit, "tree", Who.apple, at: server.now, ["height": huge])
        let verdict = try #require(try server.push([edit], from: Who.wandasLaptop, of: Who.wanda).verdicts.first)
        #expect(verdict.problem == "too_long")
    }

    @Test func `a row has room for so many unknown fields and no more`() throws {
        let server = try ClubServer.founded()
        func fields(_ range: Range<Int>) -> [Mutation.Change] { range.map { Mutation.Change("later_\($0)", 1) } }
        func mutation(_ number: Int64, _ action: Mutation.Action, _ row: RowID, _ changes: [Mutation.Change])
            -> Mutation
        {
            Mutation(
                number: number, collection: "tree", row: row, action: action, time: HybridTime(server.now),
                changes: changes)
        }
        let full = UnknownField.maximumCount
        let quince = RowID(bits: 0xA009)
        let plan = try server.push(
            [
                mutation(1, .edit, Who.apple, fields(0..<full)), mutation(2, .edit, Who.apple, fields(full..<full + 1)),
                mutation(3, .edit, Who.apple, fields(0..<1)),
                mutation(4, .create, quince, [Mutation.Change("name", "q")] + fields(0..<full + 1)),
            ], from: Who.wandasLaptop, of: Who.wanda)
        #expect(plan.verdicts.map(\.refusal) == [nil, .limit, nil, .limit])
        #expect(plan.verdicts[1].about == "unknown_fields")
        #expect(server.row("tree", Who.apple)?.unknown.count == full)
        #expect(server.row("tree", quince) == nil)
    }

    @Test func `unknown members of an old or new peer are passed over`() throws {
        let text =
            #"{"protocol":1,"now":1,"epoch":"e","expected":1,"later":{"a":[1]},"scopes":[{"scope":"club","#
            + #""epoch":1,"cursor":1,"digest":"d","rows":[{"collection":"bush","row":"\#(Who.apple)","sequence":1,"#
            + #""stamp":"\#(Stamp(HybridTime(bits: 1), Who.tomsPhone))","fields":{"thorns":[{"n":1}]},"hue":2}]}]}"#
        let answer = try ExchangeAnswer(json: Array(text.utf8))
        let row = try #require(answer.scopes.first?.rows.first)
        #expect(row.collection == "bush")
        #expect(row.fields == [Mutation.Change("thorns", .list([.object([.init("n", 1)])]))])
    }
}
