import RoostDemo
import RoostModel
import RoostSchema
import Testing

struct DemoCountyTests {
    /// 2026-11-21.
    private static let today = PartialDate.daysSinceEpoch(year: 2026, month: 11, day: 21)
    private static let county = DemoCounty(seed: 2026, today: today)
    private let county = Self.county
    private let programme = Catalogue.programme

    private func rows(_ collection: CollectionName) -> [DemoCounty.Row] {
        county.rows.filter { $0.collection == collection }
    }

    private func count(_ collection: CollectionName, _ condition: Condition) throws -> Int {
        let declared = try #require(programme[collection])
        return rows(collection).count { row in
            condition.holds(in: declared, declared.fields.map { row.values[$0.name] ?? .null })
        }
    }

    @Test func `the same seed and day give the same county`() {
        #expect(DemoCounty(seed: 2026, today: Self.today).rows == county.rows)
    }

    @Test func `another seed gives other people`() {
        #expect(DemoCounty(seed: 2027, today: Self.today).rows != county.rows)
    }

    @Test func `it has the size of a county`() throws {
        #expect(rows("student").count == 2000)
        #expect(rows("chapter").count == 18)
        #expect(rows("membership").count == 1000)
        #expect(rows("contact_group").count == 62)
        #expect(try count("digest", .field("status", is: "sent")) == 1)
        #expect(try count("digest", .field("status", is: "draft")) == 1)
        #expect(try count("liaison", .field("state", is: "proposed")) == 3)
    }

    @Test func `five mentors have six students of age each`() throws {
        let links = rows("liaison").filter { $0.values["kind"] == "mentor" }
        let loads = Dictionary(grouping: links) { $0.values["officer"] }.values.map(\.count)
        #expect(loads == [6, 6, 6, 6, 6])
        let wards = Set(rows("guardian").compactMap { $0.values["student"]?.id })
        #expect(links.allSatisfy { $0.values["student"]?.id.map { !wards.contains($0) } ?? false })
    }

    @Test func `everybody but some orphans has one liaison officer who has room for them`() throws {
        let links = rows("liaison").filter { $0.values["kind"] == "liaison" && $0.values["state"] == "active" }
        let students = Set(links.compactMap { $0.values["student"]?.id })
        #expect(students.count == links.count)
        #expect((40...400).contains(2000 - students.count))
        let capacities = Dictionary(
            uniqueKeysWithValues: rows("officer").map { ($0.id, $0.values["capacity"]?.integer) })
        for (officer, load) in Dictionary(grouping: links, by: { $0.values["officer"]?.id }) {
            let capacity = try #require(officer.flatMap { capacities[$0] } ?? nil)
            #expect(load.count <= capacity)
        }
    }

    @Test func `minors have guardians`() throws {
        let wards = Set(rows("guardian").compactMap { $0.values["student"]?.id })
        let minors = rows("student").filter { row in
            row.values["birth"]?.text.flatMap { PartialDate($0) }.map { $0.latestDay(addingYears: 18) > Self.today }
                ?? false
        }
        #expect(minors.count > 100)
        #expect(minors.allSatisfy { wards.contains($0.id) })
    }

    @Test func `every value fits its field, nothing required is missing and nothing derived is written`() throws {
        for row in county.rows {
            let collection = try #require(programme[row.collection])
            for (name, value) in row.values {
                let field = try #require(collection[name], "\(row.collection).\(name)")
                #expect(field.kind.problem(with: value) == nil, "\(row.collection).\(name): \(value)")
                #expect(field.derivation == nil, "\(row.collection).\(name)")
            }
            for field in collection.fields where field.required && field.initial.isNull {
                #expect(row.values[field.name] != nil, "\(row.collection).\(field.name)")
            }
        }
    }

    @Test func `every reference names an earlier row or a school of the lists`() throws {
        var known: [CollectionName: Set<RowID>] = ["school": county.schools]
        for row in county.rows {
            let collection = try #require(programme[row.collection])
            for (name, value) in row.values {
                guard let target = collection[name]?.target, let id = value.id else { continue }
                #expect(known[target]?.contains(id) ?? false, "\(row.collection).\(name)")
            }
            #expect(known[row.collection, default: []].insert(row.id).inserted, "an id is used twice")
        }
    }

    @Test func `no number belongs to anybody`() {
        for row in county.rows {
            for case .text(let text) in row.values.values where text.hasPrefix("+") {
                #expect(
                    ["+861990000", "+8525550", "+8536660", "+867500000"].contains { text.hasPrefix($0) }, "\(text)")
            }
            #expect(row.values["id_digest"] == nil)
            #expect(row.values["email"]?.text?.hasSuffix(".invalid") ?? true)
        }
    }

    @Test func `policies have audiences that mean something`() throws {
        for row in rows("policy") {
            let text = try #require(row.values["audience"]?.text)
            _ = try programme.audience(text, about: "student")
        }
    }

    @Test func `there is one officer to enrol for every role`() {
        #expect(county.enrolments.map(\.role) == programme.roles.map(\.name))
        let granted = rows("authority_grant").map { [$0.values["officer"], $0.values["role"]] }
        for enrolment in county.enrolments {
            #expect(granted.contains([.id(enrolment.officer), .text(enrolment.role.text)]))
        }
    }
}
