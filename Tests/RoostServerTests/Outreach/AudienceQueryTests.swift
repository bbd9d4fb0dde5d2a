import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Testing

@testable import RoostServer

/// Audiences, as SQL answers them.
struct AudienceQueryTests {
    private static let scut = RowID(bits: 0xF1)
    private static let college = RowID(bits: 0xF2)
    private static let chapter = RowID(bits: 0xF3)

    /// Three students: 1 is 本科 2026 at a first-class school, in the chapter, tagged; 2 is 专科 2026; of 3 nothing is known.
    private func world() async throws -> OutreachFixture {
        let fixture = try await OutreachFixture()
        func student(_ number: UInt128, _ fields: [FieldName: Value] = [:]) -> TrustedEdit {
            TrustedEdit(
                "student", RowID(bits: number), .create,
                fields.merging(["name": .text("学生\(number)")]) { own, _ in own })
        }
        func schooling(_ number: UInt128, _ school: RowID, _ level: Value) -> TrustedEdit {
            TrustedEdit(
                "schooling", RowID(bits: 0x50 + number), .create,
                [
                    "student": .id(RowID(bits: number)), "school": .id(school), "level": level, "cohort": 2026,
                    "major": "软件工程",
                ])
        }
        try await fixture.write([
            TrustedEdit(
                "school", Self.scut, .create,
                ["name": "华南理工大学", "dfc_since": 2017, "province": "44", "region": "CN"]),
            TrustedEdit("school", Self.college, .create, ["name": "某职业学院", "region": "HK"]),
            TrustedEdit("chapter", Self.chapter, .create, ["name": "华工分部", "kind": "university"]),
            student(1, ["tags": .list(["卫浴", "返乡"]), "home_div": "440784101"]), student(2, ["tags": .list(["食品"])]),
            student(3),
            schooling(1, Self.scut, "21"), schooling(2, Self.college, "31"),
            TrustedEdit(
                "membership", RowID(bits: 0x70), .create,
                ["chapter": .id(Self.chapter), "student": .id(RowID(bits: 1))]),
        ])
        return fixture
    }

    @Test(arguments: [
        ("", [1, 2, 3]), ("cohort=2026", [1, 2]), ("level>=本科", [1]), ("level<本科", [2]), ("dfc=yes", [1]),
        ("dfc=no", [2, 3]), ("school=华南理工大学", [1]), ("not school=华南理工大学", [2, 3]), ("school!=华南理工大学", [2, 3]),
        ("school_region in (HK,MO)", [2]), ("chapter=华工分部", [1]), ("not chapter=华工分部", [2, 3]), ("tag=返乡", [1]),
        ("tag in (返乡,食品)", [1, 2]), ("tag!=返乡", [2, 3]), ("home_div=440784", [1]), ("home_div!=440784", [2, 3]),
        ("major_prefix=软件 and level>=专科", [1, 2]), ("cohort>=2027 or tag=食品", [2]), ("level=null", [3]),
    ])
    func `an audience finds whom it says`(audience: String, expected: [Int]) async throws {
        let fixture = try await world()
        let condition = try Catalogue.programme.audience(audience, about: Programme.subject)
        let found = try await fixture.store.rows(of: Programme.subject, where: condition)
        #expect(found.map { Int($0.key.id.bits) }.sorted() == expected)
        #expect(try await fixture.store.count(of: Programme.subject, where: condition) == expected.count)
    }

    @Test func `a reference is compared as such where the condition names a row`() async throws {
        let fixture = try await world()
        let found = try await fixture.store.rows(
            of: Programme.subject, where: .field("school", is: .id(Self.college)))
        #expect(found.map(\.key.id.bits) == [2])
    }
}
