package import RoostAPI
package import RoostSchema
import RoostCourier
import RoostStore
import RoostSync

/// Digests that come back every week or month: shortly before each time a draft is made of what is new, or of what ends
/// soon; people approve and schedule it like any other.
extension DigestDesk {
    /// How long before its time a draft is made.
    private static let lead: Int64 = 2 * 86_400_000

    /// The schedules, by name.
    package func schedules(for officer: RowID) async throws -> ScheduleList {
        try await permissions(of: officer).mayList()
        return ScheduleList(schedules: try await store.schedules().map(ScheduleSummary.init))
    }

    /// Adds a schedule in the officer's name.
    package func add(_ draft: ScheduleDraft, by officer: RowID) async throws -> ScheduleSummary {
        try await permissions(of: officer).mayCompose()
        guard let cadence = Cadence(draft.cadence, day: draft.day), let minute = draft.minute else {
            throw Refusal(
                .invalidDigest, reason: "schedule_form",
                Label("请写成 weekly 1–7 或 monthly 1–31，时间如 19:10。", "weekly 1-7 or monthly 1-31, at a time such as 19:10")
            )
        }
        let channels = draft.channels ?? Channel.allCases.map(\.rawValue)
        guard !draft.name.isEmpty, draft.name.count <= 80, channels.allSatisfy({ Channel(rawValue: $0) != nil }),
            ["ask", "send", "skip"].contains(draft.missed ?? "ask"),
            (1...60).contains(draft.endingWithin ?? 1)
        else {
            throw Refusal(
                .invalidDigest, reason: "schedule_form",
                Label(
                    "名称、渠道、错过时的做法或截止天数（1–60）不对。", "name, channels, missed or the days of reminders (1-60) do not fit"))
        }
        let catalogue = store.rules.catalogue
        _ = try DigestAudience.condition(draft.audience ?? "", catalogue)
        guard try await !store.schedules().contains(where: { $0.name == draft.name }) else {
            throw Refusal(.conflict, reason: "name_taken", Label("已有同名计划。", "there is a schedule of this name"))
        }
        let now = store.clock()
        let next = cadence.next(after: now, minute: minute, holidays: Holidays.dates(in: store.directory))
        let record = ScheduleRecord(
            id: RowID(milliseconds: now.value, random: UInt128.random(in: .min ... .max)), name: draft.name,
            officer: officer, cadence: draft.cadence, day: draft.day, minute: minute, audience: draft.audience ?? "",
            channels: channels, missed: draft.missed ?? "ask", endingWithin: draft.endingWithin, nextAt: next,
            draftAt: Milliseconds(next.value - Self.lead))
        try await store.keep(record)
        return ScheduleSummary(record)
    }

    /// Pauses, resumes or removes a schedule.
    package func change(schedule id: RowID, _ change: String, by officer: RowID) async throws -> ScheduleList {
        let permissions = try await permissions(of: officer)
        try permissions.mayCompose()
        guard var record = try await store.schedules().first(where: { $0.id == id }) else {
            throw Refusal(.notFound, "no such schedule")
        }
        switch change {
        case "remove": try await store.removeSchedule(id)
        case "pause":
            record.isPaused = true
            try await store.keep(record)
        case "resume":
            record.isPaused = false
            // What fell into the pause is not made up for.
            if record.nextAt <= store.clock() { advance(&record) }
            try await store.keep(record)
        default: throw Refusal(.notFound, "no such path")
        }
        return try await schedules(for: officer)
    }

    private func advance(_ record: inout ScheduleRecord) {
        guard let cadence = Cadence(record.cadence, day: record.day) else { return }
        let after = max(record.nextAt, store.clock())
        record.nextAt = cadence.next(
            after: after, minute: record.minute, holidays: Holidays.dates(in: store.directory))
        record.draftAt = Milliseconds(record.nextAt.value - Self.lead)
    }

    /// Makes the drafts whose time has come; to be called every few minutes.
    /// - Returns: what became of each: `made`, or the code for which none was.
    package func draftDue() async throws -> [String] {
        let now = store.clock()
        var results: [String] = []
        for var record in try await store.schedules() where !record.isPaused && record.draftAt <= now {
            do {
                let report = try await compose(
                    DigestDraft(
                        title: record.name + " " + ChinaTime(record.nextAt).date,
                        new: record.endingWithin == nil ? true : nil, endingWithin: record.endingWithin,
                        audience: record.audience, channels: record.channels),
                    by: record.officer, goingOut: record.nextAt)
                try await propose(record, for: report)
                record.note = "made"
            } catch let refusal as Refusal {
                record.note = refusal.reason ?? refusal.code.rawValue
            }
            results.append(record.note ?? "")
            advance(&record)
            try await store.keep(record)
        }
        return results
    }

    /// Notes on a draft when it is meant to be sent.
    private func propose(_ record: ScheduleRecord, for report: DigestReport) async throws {
        guard let id = RowID(report.digest.id) else { return }
        try await taking { _ in
            DigestStep(
                id, by: record.officer, .edit,
                ["scheduled_at": .integer(record.nextAt.value), "missed": .text(record.missed)], outcome: ())
        }
    }
}

extension ScheduleDraft {
    /// The minute of the day; nil for what is no time.
    fileprivate var minute: Int? {
        let parts = time.split(separator: ":")
        guard parts.count == 2, let hour = Int(parts[0]), let minute = Int(parts[1]), (0..<24).contains(hour),
            (0..<60).contains(minute)
        else { return nil }
        return hour * 60 + minute
    }
}

extension ScheduleSummary {
    fileprivate init(_ record: ScheduleRecord) {
        let two = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
        self.init(
            id: record.id.description, name: record.name, cadence: record.cadence, day: record.day,
            time: two(record.minute / 60) + ":" + two(record.minute % 60), audience: record.audience,
            channels: record.channels, missed: record.missed, endingWithin: record.endingWithin,
            nextAt: record.nextAt.value, paused: record.isPaused,
            note: record.note)
    }
}
