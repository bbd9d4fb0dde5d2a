import RoostSchema
import RoostSync
import Testing

/// Laws of the codec over seeds: what is written is read again, and no bytes whatever bring the reader down.
@Suite struct CodecLawTests {
    private static func text(_ random: inout Seeded) -> String {
        let pieces = ["", "a", "鹤山", "\"", "\\", "\n", "\u{1}", "𠮷", "👩‍👧", "\u{7F}", "/", "e\u{301}", "\u{2028}"]
        return (0..<random.below(4)).map { _ in random.one(of: pieces) }.joined()
    }

    private static func value(_ random: inout Seeded, depth: Int = 0) -> Value {
        switch random.below(depth < 4 ? 8 : 6) {
        case 0: .null
        case 1: .boolean(random.chance(2))
        case 2: .integer(random.one(of: [0, -1, 7, .min, .max, 1_795_219_200_000]))
        case 3: .real(random.one(of: [0.5, -1.25, 1e300, .leastNonzeroMagnitude, 1e21]))
        case 4, 5: .text(text(&random))
        case 6: .list((0..<random.below(4)).map { _ in value(&random, depth: depth + 1) })
        default:
            .object(
                (0..<random.below(4)).map { index in
                    Value.Member("m\(index)" + text(&random), value(&random, depth: depth + 1))
                })
        }
    }

    private static func request(_ random: inout Seeded) -> ExchangeRequest {
        func id() -> RowID { RowID(bits: UInt128(random.next()) << 64 | UInt128(random.next())) }
        func mark() -> Mutation.Mark? {
            random.chance(2) ? nil : Mutation.Mark(monotonic: Int64(random.below(1 << 40)), boot: text(&random))
        }
        let mutations = (0..<random.below(5)).map { number in
            Mutation(
                number: Int64(number + 1), group: random.chance(2) ? nil : Int64(random.below(9)),
                collection: random.one(of: ["tree", "planting"]), row: id(),
                action: random.one(of: [.create, .edit, .delete, .restore]), time: HybridTime(bits: random.next()),
                mark: mark(),
                base: random.chance(2) ? nil : Stamp(HybridTime(bits: random.next()), ReplicaID(random.next())),
                seen: random.chance(2) ? nil : Stamp(HybridTime(bits: random.next()), ReplicaID(random.next())),
                changes: (0..<random.below(4)).map { Mutation.Change("f\($0)", value(&random)) })
        }
        let scopes = (0..<random.below(4)).map { index in
            ScopeCursor(
                scope: random.chance(2) ? Scope("club") : Scope("orchard", id()), epoch: Int64(index),
                cursor: ServerSequence(Int64(random.below(1 << 50))))
        }
        var request = ExchangeRequest(
            catalogue: random.below(9), replica: ReplicaID(random.next()), incarnation: Int64(1 + random.below(9)),
            epoch: random.chance(2) ? nil : text(&random), now: Milliseconds(Int64(random.below(1 << 42))),
            mark: mark(), mutations: mutations, scopes: scopes)
        request.pageBytes = random.chance(2) ? nil : random.below(1 << 20)
        return request
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `a value is read as it was written`(_ seed: UInt64) throws {
        var random = Seeded(seed)
        let value = Self.value(&random)
        #expect(try Value(json: value.json) == value)
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `a request is read as it was written`(_ seed: UInt64) throws {
        var random = Seeded(seed)
        let request = Self.request(&random)
        #expect(try ExchangeRequest(json: request.json) == request)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `a request cut off anywhere is refused`(_ seed: UInt64) throws {
        var random = Seeded(seed)
        let bytes = Self.request(&random).json
        for end in 0..<bytes.count {
            let problem = #expect(throws: WireProblem.self) { try ExchangeRequest(json: Array(bytes[..<end])) }
            #expect(problem.map { $0.position <= end } ?? false)
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `damaged bytes are read or refused, and never more than that`(_ seed: UInt64) {
        var random = Seeded(seed)
        var bytes = Self.request(&random).json
        var outcomes = 0
        for _ in 0..<30 {
            switch random.below(4) {
            case 0: bytes[random.below(bytes.count)] = UInt8(random.below(256))
            case 1: bytes.insert(UInt8(random.below(256)), at: random.below(bytes.count))
            case 2 where bytes.count > 2: bytes.remove(at: random.below(bytes.count))
            default:
                // Swapping structure finds more than noise does.
                let signs = Array("{}[],:\"\\-0e.tnf".utf8)
                bytes[random.below(bytes.count)] = random.one(of: signs)
            }
            do {
                let read = try ExchangeRequest(json: bytes)
                #expect((try? ExchangeRequest(json: read.json)) == read)
            } catch { #expect(error.position <= bytes.count) }
            do { _ = try ExchangeAnswer(json: bytes) } catch { #expect(error.position <= bytes.count) }
            outcomes += 1
        }
        #expect(outcomes == 30)
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `noise is refused`(_ seed: UInt64) {
        var random = Seeded(seed)
        let bytes = (0..<random.below(200)).map { _ in UInt8(random.below(256)) }
        #expect(throws: WireProblem.self) { try ExchangeRequest(json: bytes) }
        #expect(throws: WireProblem.self) { try ExchangeAnswer(json: bytes) }
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func `whatever can be read can be decided`(_ seed: UInt64) throws {
        var random = Seeded(seed)
        let server = try ClubServer.founded()
        var request = Self.request(&random)
        // Aimed at rows that exist, with values of every type, clocks and marks of every kind.
        request.mutations = request.mutations.map { mutation in
            let collections = server.rules.catalogue.collections
            let collection = random.one(of: collections)
            let row = random.one(of: server.stored.keys.map(\.id))
            return Mutation(
                number: mutation.number, group: mutation.group, collection: collection.name.text, row: row,
                action: mutation.action, time: mutation.time, mark: mutation.mark, base: mutation.base,
                changes: collection.fields.compactMap { field in
                    random.chance(2) ? nil : Mutation.Change(field.name.text, Self.value(&random))
                })
        }
        let plan = try server.push(
            request.mutations, from: Who.wandasLaptop, of: Who.wanda, device: request.now, mark: request.mark)
        #expect(plan.verdicts.count == request.mutations.count)
        #expect(try server.membersFromScratch() == server.members.filter { !$0.value.isEmpty })
    }
}
