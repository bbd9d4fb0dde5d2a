import RoostAPI
import RoostCourier
package import RoostSchema
import RoostStore
import RoostSync

/// What time does to scheduled digests.
extension DigestDesk {
    /// What became of a digest whose time came.
    package struct Release: Hashable, Sendable {
        package enum Result: String, Hashable, Sendable {
            case released
            /// The server was down at its time: given up, or handed back to be decided about.
            case skipped, asked
            /// It may not be sent any more; handed back.
            case refused
        }

        package let digest: RowID
        package let result: Result
    }

    /// Channels whose receivers cannot tell a repetition.
    package static let channelsWithoutIdentity = Channel.allCases.map(\.rawValue).filter {
        $0 != Channel.generic.rawValue && $0 != Channel.manual.rawValue
    }

    /// How late a digest may be and still count as sent at its time.
    static let tolerance: Int64 = 3_600_000

    /// Releases the scheduled digests whose time has come; to be called every few seconds.
    package func releaseDue() async throws -> [Release] {
        let now = store.clock()
        let due = try await store.reading { reader in
            try reader.rows("digest", where: .field("status", is: "scheduled"))
                .compactMap { DigestRow($0, reader.catalogue) }
                .filter { digest in digest.scheduledAt.map { $0 <= now.value } ?? false }
        }
        var releases: [Release] = []
        for digest in due {
            guard let author = digest.author else { continue }
            let result = try await taking { reader in
                try Self.step(for: digest.id, by: author, reader, now: now)
            }
            guard let result else { continue }
            releases.append(Release(digest: digest.id, result: result))
        }
        if !releases.isEmpty { wake() }
        return releases
    }

    private static func step(
        for id: RowID, by author: RowID, _ reader: RosterReader, now: Milliseconds
    ) throws -> DigestStep<Release.Result?> {
        // Somebody may have been quicker.
        guard let row = try reader.rows("digest", ids: [id]).first, let digest = DigestRow(row, reader.catalogue),
            digest.status == "scheduled", let at = digest.scheduledAt, at <= now.value
        else { return DigestStep(id, by: author, outcome: nil) }
        func handedBack(_ note: String, as result: Release.Result) -> DigestStep<Release.Result?> {
            DigestStep(
                id, by: author, .edit,
                ["status": "approved", "scheduled_at": .null, "note": .text(String(note.prefix(300)))],
                deliveries: .confirm, outcome: result)
        }
        let deliveries = try reader.deliveries(of: id)
        let isMissed = now.value - at > tolerance
        // That it missed its time may not even be true, whatever is planned for that case.
        if isMissed, try deliveries.contains(where: reader.mayHaveGoneOut) {
            return handedBack(
                "服务器恢复自备份，这期可能已按时发出：请到群里查看后再决定发送或取消。"
                    + "Restored from a backup; it may have gone out at its time: look in the groups, then send it or give it up.",
                as: .asked)
        }
        if isMissed, digest.missed == "skip" || now.value - at > lifetime {
            return DigestStep(
                id, by: author, .edit, ["status": "cancelled", "note": "错过计划时间，已跳过。Missed its time; skipped."],
                deliveries: .discard, outcome: .skipped)
        }
        if isMissed, digest.missed != "send" {
            return handedBack("错过计划时间，请决定是否补发。Missed its time; send it or give it up.", as: .asked)
        }
        do {
            try checkFrozen(digest, reader, now: now)
        } catch let refusal as Refusal {
            return handedBack((refusal.messageZH ?? "") + refusal.message, as: .refused)
        }
        // Due since then, be it hours ago: what is released late does not come at a chosen time, and keeps quiet hours.
        let from = Milliseconds(at)
        let endpoints = Dictionary(uniqueKeysWithValues: try reader.endpoints().map { ($0.id, $0) })
        var later: [RowID: Milliseconds] = [:]
        for delivery in deliveries {
            guard let endpoint = endpoints[delivery.endpoint], Channel(rawValue: endpoint.channel)?.isRobot ?? false
            else { continue }
            // At a full or half hour everybody's messages go out, and vendors throttle.
            let jitter = Double(endpoint.id.bits % 1000) / 1000
            let moment = Moment(milliseconds: from.value).awayFromHalfHour(jitter: jitter)
            later[endpoint.id] = Milliseconds(moment.milliseconds)
        }
        return DigestStep(
            id, by: author, .edit, ["status": "sending", "note": .null],
            deliveries: .release(from: from, later: later, until: now + lifetime), outcome: .released)
    }
}
