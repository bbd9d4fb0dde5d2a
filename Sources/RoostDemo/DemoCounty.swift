import RoostModel
package import RoostSchema

/// A believable county to try the product with: the same rows for the same seed and day, and nobody real among them.
///
/// Mobiles are `+861990000xxxx`, `+8525550xxxx` and `+8536660xxxx`, WeChat names begin with `zz00_`, addresses end in
/// `.invalid`, and no identity number is made at all.
package struct DemoCounty: Sendable {
    package struct Row: Hashable, Sendable {
        package let collection: CollectionName
        package let id: RowID
        package let values: [FieldName: Value]
    }

    /// An officer for whom a device is worth enrolling, to see the county as that role sees it.
    package struct Enrolment: Hashable, Sendable {
        package let officer: RowID
        package let role: RoleName
        package let name: String
        /// The chapter that a coordinator answers for.
        package let chapter: String?
    }

    /// Every row after the rows it refers to, but for schools, which come from the shipped lists.
    package let rows: [Row]
    /// One per role, in the order of the catalogue's roles.
    package let enrolments: [Enrolment]
    /// The schools the rows refer to.
    package let schools: Set<RowID>

    /// - Parameters:
    ///   - seed: chooses names, numbers and fates.
    ///   - today: days since 1970-01-01; all dates are relative to it.
    package init(seed: UInt64, today: Int) {
        var builder = DemoBuilder(seed: seed, calendar: DemoCalendar(today: today))
        builder.addChapters()
        builder.addOfficers()
        builder.addStudents()
        builder.addCoordinators()
        builder.addContactGroups()
        builder.addCaseloads()
        builder.addMentees()
        builder.addOutreach()
        builder.addTouches()
        builder.addTasks()
        rows = builder.rows
        enrolments = builder.enrolments
        schools = Set((DemoSchools.all + DemoSchools.senior).map(\.row))
    }
}

/// The rows so far, and what later ones refer to.
struct DemoBuilder {
    let calendar: DemoCalendar
    var random: DemoRandom
    var rows: [DemoCounty.Row] = []
    var enrolments: [DemoCounty.Enrolment] = []
    var chapters: [DemoChapter] = []
    var officers: [DemoOfficer] = []
    var students: [DemoStudent] = []
    private var mobiles: DemoNumbers

    init(seed: UInt64, calendar: DemoCalendar) {
        self.calendar = calendar
        random = DemoRandom(seed: seed)
        mobiles = DemoNumbers(&random)
    }

    @discardableResult
    mutating func add(_ collection: CollectionName, _ id: RowID? = nil, _ values: [FieldName: Value]) -> RowID {
        let id = id ?? RowID(milliseconds: calendar.instant(daysAgo: 1, hour: 9), random: random.bits())
        rows.append(DemoCounty.Row(collection: collection, id: id, values: values.filter { !$0.value.isNull }))
        return id
    }

    /// A mainland number that nobody else of the county has.
    mutating func mobile() -> Value { .text("+861990000" + mobiles.next()) }

    /// A number of a member in Hong Kong or Macau.
    mutating func mobileAbroad(macau: Bool) -> Value { .text((macau ? "+8536660" : "+8525550") + mobiles.next()) }

    func officers(_ role: RoleName) -> [DemoOfficer] { officers.filter { $0.role == role } }
}

/// Four-digit tails, each once: 10,000 are enough for a county of 2,000 with parents.
struct DemoNumbers {
    private var tails: [Int]

    init(_ random: inout DemoRandom) {
        tails = Array(0..<10_000)
        tails.shuffle(using: &random)
    }

    mutating func next() -> String {
        let tail = tails.popLast() ?? 0
        let digits = String(tail)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }
}

/// SplitMix64: small, portable and the same everywhere.
struct DemoRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func bits() -> UInt128 { UInt128(next()) << 64 | UInt128(next()) }

    mutating func number(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(next() % UInt64(range.count))
    }

    mutating func chance(_ percent: Int) -> Bool { number(0...99) < percent }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[number(0...elements.count - 1)] }

    /// One of the elements, each as likely as its weight.
    mutating func pick<Element>(_ weighted: [(Element, Int)]) -> Element {
        var left = number(0...weighted.reduce(0) { $0 + $1.1 } - 1)
        for (element, weight) in weighted {
            if left < weight { return element }
            left -= weight
        }
        return weighted[0].0
    }
}

/// Dates as people of the county count them (UTC+8), relative to a day.
struct DemoCalendar {
    let today: Int
    /// The calendar year in which the school year at hand began, on 1 September.
    let schoolYear: Int

    init(today: Int) {
        self.today = today
        let (year, month, _) = PartialDate.civil(daysSinceEpoch: today)
        schoolYear = month >= 9 ? year : year - 1
    }

    var year: Int { PartialDate.civil(daysSinceEpoch: today).year }

    func date(daysAgo: Int) -> Value {
        let (year, month, day) = PartialDate.civil(daysSinceEpoch: today - daysAgo)
        return .text("\(year)-\(Self.two(month))-\(Self.two(day))")
    }

    func month(_ year: Int, _ month: Int) -> Value { .text("\(year)-\(Self.two(month))") }

    /// A moment by the county's clock, in milliseconds since the epoch.
    func instant(daysAgo: Int, hour: Int, minute: Int = 0) -> Int64 {
        Int64(today - daysAgo) * 86_400_000 + Int64((hour - 8) * 3_600_000 + minute * 60_000)
    }

    static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
