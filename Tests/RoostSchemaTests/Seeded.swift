import RoostSchema

/// SplitMix64, so that a law that fails names the seed that breaks it.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func word() -> Value {
        switch Int.random(in: 0...8, using: &self) {
        case 0: .integer(Int64.random(in: -5...2030, using: &self))
        case 1: .boolean(Bool.random(using: &self))
        case 2: .null
        case 3: .text("本科")
        case 4: .text("2026")
        case 5: .text("and")
        case 6: .text("他说\"好\"\u{3000}(x)")
        case 7: .id(RowID(bits: UInt128(next())))
        default: .text("a-b_c.9")
        }
    }

    /// A condition as people write them: every group has two parts or more.
    mutating func condition(depth: Int = 0) -> Condition {
        let kind = depth > 3 ? Int.random(in: 0...4, using: &self) : Int.random(in: 0...8, using: &self)
        switch kind {
        case 0...3:
            let comparisons: [Condition.Comparison] = [
                .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .hasPrefix,
            ]
            let name = ["cohort", "level", "届别", "is", "notes", "order"].randomElement(using: &self) ?? "level"
            if Bool.random(using: &self) {
                let count = Int.random(in: 1...3, using: &self)
                return .compare(name, .oneOf, .value(.list((0..<count).map { _ in word() })))
            }
            return .compare(name, comparisons.randomElement(using: &self) ?? .equal, .value(word()))
        case 4: return Bool.random(using: &self) ? .always : .never
        case 5: return .not(condition(depth: depth + 1))
        case 6: return .any(parts(depth))
        default: return .all(parts(depth))
        }
    }

    private mutating func parts(_ depth: Int) -> [Condition] {
        (0..<Int.random(in: 2...3, using: &self)).map { _ in condition(depth: depth + 1) }
    }
}
