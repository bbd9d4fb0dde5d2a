import Foundation
import RoostSchema
import RoostSync
import Testing

/// The vectors of stamps, clocks, values and the codec, run against the engine.
@Suite struct VectorTests {
    @Test func `every vector file has cases and a test`() throws {
        let folder = try #require(Bundle.module.url(forResource: "Vectors", withExtension: nil))
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }
        #expect(Set(names) == Set(Vector.files.map { $0 + ".json" }))
        for file in Vector.files { #expect(!Vector.cases(file).isEmpty, "\(file)") }
    }

    @Test(arguments: Vector.cases("stamps"))
    func `stamps are read`(_ vector: Vector) throws {
        let stamp = Stamp(try #require(vector.input["text"]?.text))
        guard vector.expected["invalid"] == nil else {
            #expect(stamp == nil)
            return
        }
        let read = try #require(stamp)
        #expect(read.time.moment.value == vector.expected["milliseconds"]?.integer)
        #expect(Int64(read.time.counter) == vector.expected["counter"]?.integer)
        #expect(read.replica.description == vector.expected["replica"]?.text)
        #expect(read.description == vector.input["text"]?.text?.lowercased())
    }

    @Test(arguments: Vector.cases("stamp-order"))
    func `stamps are ordered, and so is their text`(_ vector: Vector) throws {
        let texts = try #require(vector.input["stamps"]?.list).compactMap(\.text)
        let expected = try #require(vector.expected["sorted"]?.list).compactMap(\.text)
        #expect(texts.compactMap { Stamp($0) }.sorted().map(\.description) == expected)
        #expect(texts.sorted() == expected)
        #expect(texts.compactMap { Stamp($0)?.bits }.sorted().map { Stamp(bits: $0).description } == expected)
    }

    @Test(arguments: Vector.cases("clock"))
    func `a replica's clock never runs backwards`(_ vector: Vector) throws {
        var clock = HybridClock(last: try vector.input.time("last"))
        let walls = try #require(vector.input["walls"]?.list).compactMap(\.integer)
        let times = walls.map { clock.tick(now: Milliseconds($0)).text }
        #expect(times == vector.expected["times"]?.list?.compactMap(\.text))
    }

    @Test(arguments: Vector.cases("effective-time"))
    func `the effective time follows what was seen and what came before`(_ vector: Vector) throws {
        let previous = vector.input["previous"] == nil ? nil : try vector.input.time("previous")
        let base = vector.input["base"] == nil ? nil : try vector.input.stamp("base")
        let time = EffectiveTime.of(corrected: try vector.input.time("corrected"), base: base, previous: previous)
        #expect(time.text == vector.expected["time"]?.text)
    }

    @Test(arguments: Vector.cases("clock-correction"))
    func `clocks are corrected, not refused`(_ vector: Vector) throws {
        func mark(_ member: String) throws -> Mutation.Mark? {
            guard let mark = vector.input[member] else { return nil }
            return Mutation.Mark(monotonic: try mark.integer("monotonic"), boot: try #require(mark["boot"]?.text))
        }
        var boots: [String: Milliseconds] = [:]
        if case .object(let members) = vector.input["boots"] {
            for member in members { boots[member.name] = Milliseconds(try #require(member.value.integer)) }
        }
        let correction = ClockCorrection(
            now: Milliseconds(try vector.input.integer("now")),
            device: Milliseconds(try vector.input.integer("device")), mark: try mark("mark"), boots: boots)
        let time = correction.corrected(try vector.input.time("time"), mark: try mark("mutation_mark"))
        #expect(correction.offset == vector.expected["offset"]?.integer)
        #expect(time.text == vector.expected["time"]?.text)
    }

    @Test(arguments: Vector.cases("masks"))
    func `masks show what they should`(_ vector: Vector) throws {
        let masks: [String: Mask] = ["phone": .phone, "year": .year, "hidden": .hidden]
        let mask = try #require(vector.input["mask"]?.text.flatMap { masks[$0] })
        #expect(mask.applied(to: try #require(vector.input["value"])) == vector.expected["value"])
    }

    @Test(arguments: Vector.cases("values"))
    func `values fit their fields or are told why not`(_ vector: Vector) throws {
        let kind = try FieldKind(declared: try #require(vector.input["kind"]))
        var value = try #require(vector.input["value"])
        // As the engine does before it validates: a reference is written as text.
        if case .reference = kind, let id = value.text.flatMap({ RowID($0) }) { value = .id(id) }
        #expect(kind.problem(with: value)?.rawValue == vector.expected["problem"]?.text)
    }

    @Test(arguments: Vector.cases("requests"))
    func `requests are read and written`(_ vector: Vector) throws {
        let text = try #require(vector.input["text"]?.text)
        let canonical = try #require(vector.expected["text"]?.text)
        let request = try ExchangeRequest(json: Array(text.utf8))
        #expect(String(decoding: request.json, as: UTF8.self) == canonical)
        #expect(try ExchangeRequest(json: Array(canonical.utf8)) == request)
    }

    @Test(arguments: Vector.cases("verdicts"))
    func `verdicts are written and read`(_ vector: Vector) throws {
        let text = try #require(vector.expected["text"]?.text)
        var reader = JSONReader(Array(text.utf8))
        let verdict = try Verdict(&reader)
        #expect(String(decoding: verdict.json, as: UTF8.self) == text)
        #expect(verdict.outcome.rawValue == vector.input["verdict"]?.text)
        #expect(verdict.refusal?.rawValue == vector.input["code"]?.text)
    }

    @Test func `every refusal and every verdict stands in the vectors`() {
        let inputs = Vector.cases("verdicts").map(\.input)
        #expect(Set(inputs.compactMap { $0["code"]?.text }) == Set(Refusal.allCases.map(\.rawValue)))
        let outcomes: Set<String> = ["applied", "merged", "late", "quarantined", "rejected"]
        #expect(Set(inputs.compactMap { $0["verdict"]?.text }) == outcomes)
    }

    @Test(arguments: Vector.cases("answers"))
    func `answers are read`(_ vector: Vector) throws {
        let text = try #require(vector.input["text"]?.text)
        let answer = try ExchangeAnswer(json: Array(text.utf8))
        #expect(answer.described.sorted == vector.expected.sorted)
    }

    @Test(arguments: Vector.cases("malformed"))
    func `malformed bytes get their code`(_ vector: Vector) throws {
        let bytes: [UInt8]
        if let text = vector.input["text"]?.text {
            bytes = Array(text.utf8)
        } else {
            let digits = Array(try #require(vector.input["hexadecimal"]?.text).utf8)
            bytes = stride(from: 0, to: digits.count, by: 2).compactMap { index in
                hexDigit(digits[index]).flatMap { high in hexDigit(digits[index + 1]).map { high << 4 | $0 } }
            }
        }
        let problem = try #require(throws: WireProblem.self) {
            if vector.input["kind"]?.text == "answer" {
                _ = try ExchangeAnswer(json: bytes)
            } else {
                _ = try ExchangeRequest(json: bytes)
            }
        }
        #expect(problem.code.rawValue == vector.expected["code"]?.text)
        if let member = vector.expected["member"]?.text { #expect(problem.member == member) }
        #expect(problem.position <= bytes.count)
    }

    @Test func `every code of malformed bytes stands in the vectors`() {
        let codes = Set(Vector.cases("malformed").compactMap { $0.expected["code"]?.text })
        #expect(
            codes == [
                "malformed_json", "too_deep", "not_utf8", "wrong_type", "missing_member", "out_of_range",
                "unsupported_version",
            ])
    }
}

extension FieldKind {
    /// Reads the form in which `/v1/schema` writes kinds.
    init(declared: Value) throws {
        func limit(_ member: String) throws -> Int { Int(try declared.integer(member)) }
        switch try #require(declared["kind"]?.text) {
        case "text": self = .text(max: try limit("max"))
        case "person_name": self = .personName
        case "integer": self = .integer(try declared.integer("min")...(try declared.integer("max")))
        case "boolean": self = .boolean
        case "code":
            self = .code(
                try #require(declared["codes"]?.list).compactMap { $0["value"]?.text }.map { Code($0, $0, $0) })
        case "open_code": self = .openCode(max: try limit("max"))
        case "partial_date": self = .partialDate
        case "date": self = .date
        case "instant": self = .instant
        case "phone": self = .phone
        case "email": self = .email
        case "url": self = .url
        case "reference": self = .reference(CollectionName(try #require(declared["to"]?.text)))
        case "tags": self = .tags(count: try limit("count"), max: try limit("max"))
        case "predicate": self = .predicate
        case "structure": self = .structure(max: try limit("max_bytes"))
        case "identity_digest": self = .identityDigest
        case let other:
            Issue.record("a kind that is none: \(other)")
            self = .boolean
        }
    }
}

extension ExchangeAnswer {
    /// With every member that may be left out put in.
    var described: Value {
        func page(_ page: ScopePage) -> Value {
            .object([
                .init("scope", .text(page.scope.description)), .init("epoch", .integer(page.epoch)),
                .init("cursor", .integer(page.cursor.value)), .init("more", .boolean(page.more)),
                .init("rows", .list(page.rows.map(\.described))),
                .init(
                    "left",
                    .list(
                        page.left.map {
                            .object([.init("collection", .text($0.collection)), .init("row", .text("\($0.row)"))])
                        })),
                .init("must_resnapshot", .boolean(page.mustResnapshot)),
                .init("snapshot", page.snapshot?.described ?? .null),
                .init("wait", page.wait.map { .integer($0) } ?? .null),
            ])
        }
        let verdicts = verdicts.map { (try? Value(json: $0.json)) ?? .null }
        var members: [Value.Member] = [
            .init("now", .integer(now.value)), .init("epoch", .text(epoch)), .init("offset", .integer(offset)),
            .init("expected", .integer(expected)), .init("verdicts", .list(verdicts)),
            .init("lost", .list(lost.map { .text($0.description) })), .init("scopes", .list(scopes.map(page))),
        ]
        if let known {
            members.append(
                .init(
                    "known",
                    .object([
                        .init("incarnation", .integer(known.incarnation)), .init("number", .integer(known.number)),
                    ])))
        }
        if let run { members.append(.init("run", .text(run.description))) }
        if copied { members.append(.init("copied", .boolean(true))) }
        if owed { members.append(.init("owed", .boolean(true))) }
        return .object(members)
    }
}

extension SnapshotOffer {
    var described: Value {
        .object([
            .init("id", .text(id)), .init("sequence", .integer(sequence.value)), .init("rows", .integer(Int64(rows))),
            .init("bytes", .integer(Int64(bytes))), .init("size", .integer(Int64(size))),
        ])
    }
}

extension WireRow {
    var described: Value {
        .object([
            .init("collection", .text(collection)), .init("row", .text(row.description)),
            .init("sequence", .integer(sequence.value)), .init("stamp", .text(stamp.description)),
            .init("fields", .object(fields.map { .init($0.field, $0.value) })),
            .init("stamps", .object(stamps.map { .init($0.key, .text($0.value.description)) })),
            .init("masked", .list(masked.map { .text($0) })),
            .init("deleted", deleted.map { .text($0.description) } ?? .null),
            .init("version", version.map { .text($0.description) } ?? .null),
        ])
    }
}
