import RoostAPI
import RoostSchema
import RoostStore
import RoostSync
import Testing

@testable import RoostServer

/// Digests that come back.
struct ScheduleTests {
    private static func moment(_ date: String, minute: Int) throws -> Milliseconds {
        // A day in 2026 by counting from its first.
        let first = 20_454
        let days = try #require((first..<first + 800).first { ChinaTime.date(days: $0) == date })
        return ChinaTime(days: days, minute: minute).moment
    }

    @Test(arguments: [
        (Cadence.weekly(5), "2026-11-21", "2026-11-27"), (Cadence.weekly(6), "2026-11-21", "2026-11-21"),
        (Cadence.weekly(7), "2026-11-21", "2026-11-22"), (Cadence.monthly(21), "2026-11-21", "2026-11-21"),
        (Cadence.monthly(20), "2026-11-21", "2026-12-20"), (Cadence.monthly(31), "2026-11-21", "2026-11-30"),
        // The Spring Festival puts a Friday off to the Tuesday after it.
        (Cadence.weekly(5), "2026-02-14", "2026-02-24"), (Cadence.monthly(1), "2026-09-30", "2026-10-08"),
        // Already within it, the next is still the one put off.
        (Cadence.weekly(5), "2026-02-21", "2026-02-24"),
    ])
    func `the next time is the first in China that is no holiday`(
        cadence: Cadence, from: String, expected: String
    ) throws {
        let holidays = Holidays.dates(in: "/nonexistent")
        #expect(holidays.contains("2026-10-01"))
        let next = cadence.next(after: try Self.moment(from, minute: 600), minute: 1150, holidays: holidays)
        #expect(ChinaTime(next).date == expected)
        #expect(ChinaTime(next).minute == 1150)
    }

    @Test func `two days ahead a draft of what is new is made, once for each time`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("合作方", "generic", "https://example.com/hook")
        // It is a Friday.
        let plan = try await world.desk.add(
            ScheduleDraft(name: "每周推送", cadence: "weekly", day: 3, time: "19:10", channels: ["generic"]),
            by: OutreachFixture.author)
        #expect(ChinaTime(Milliseconds(plan.nextAt)).date == "2025-09-17")
        #expect(try await world.desk.draftDue().isEmpty)
        world.fixture.time.advance(by: plan.nextAt - 2 * 86_400_000 - world.fixture.time.now.value)
        #expect(try await world.desk.draftDue() == ["made"])
        #expect(try await world.desk.draftDue().isEmpty)
        let draft = try #require(try await world.desk.list(for: OutreachFixture.author).digests.first)
        #expect(draft.title == "每周推送 2025-09-17")
        #expect(draft.status == "draft")
        #expect(draft.scheduledAt == plan.nextAt)
        #expect(draft.items == 2)

        // Approved, it is scheduled for the time its plan proposes.
        let report = try await world.desk.report(try world.row(draft.id), for: OutreachFixture.author)
        let approved = try await world.approve(report)
        let scheduled = try await world.desk.schedule(
            try world.row(draft.id), version: approved.digest.version, students: approved.students, at: nil,
            missed: nil, by: OutreachFixture.author)
        #expect(scheduled.digest.status == "scheduled")
        #expect(scheduled.digest.scheduledAt == plan.nextAt)

        // A week later nothing is new, and a paused plan does not even look.
        world.fixture.time.advance(by: 7 * 86_400_000)
        #expect(try await world.desk.draftDue() == ["nothing_new"])
        let id = try world.row(plan.id)
        _ = try await world.desk.change(schedule: id, "pause", by: OutreachFixture.author)
        world.fixture.time.advance(by: 14 * 86_400_000)
        #expect(try await world.desk.draftDue().isEmpty)
        let resumed = try await world.desk.change(schedule: id, "resume", by: OutreachFixture.author)
        #expect(try #require(resumed.schedules.first).nextAt > world.fixture.time.now.value)
        #expect(try await world.desk.change(schedule: id, "remove", by: OutreachFixture.author).schedules.isEmpty)
    }
}
