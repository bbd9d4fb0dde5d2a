import Curl
import Foundation
import RoostAPI
import RoostCourier
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Synchronization

@testable import RoostServer

/// A server with something to tell: two policies, a job, students of two years and endpoints of each channel.
struct DigestWorld {
    let fixture: OutreachFixture
    let desk: DigestDesk
    let endpoints: EndpointDesk
    let settings = CourierSettings.testing(weComBase: "http://127.0.0.1:9")

    static let policy = RowID(bits: 0xB1)
    static let overPolicy = RowID(bits: 0xB2)
    static let job = RowID(bits: 0xB3)
    static let group = RowID(bits: 0xB4)
    static let otherGroup = RowID(bits: 0xB5)

    init(catalogue: Catalogue = .programme) async throws {
        fixture = try await OutreachFixture(catalogue: catalogue)
        desk = DigestDesk(
            store: fixture.store, key: fixture.key, settings: settings, transport: HTTPClient(), wake: {})
        endpoints = EndpointDesk(
            store: fixture.store, key: fixture.key, settings: settings, transport: HTTPClient(), wake: {})
        var edits = [
            TrustedEdit(
                "policy", Self.policy, .create,
                [
                    "code": "T-1", "title": "人才公寓申请办法", "summary": "本科及以上可申请。",
                    "url": "https://policy.example.invalid/1", "valid_from": "2025-01-01", "valid_to": "2027-12-31",
                ]),
            TrustedEdit(
                "policy", Self.overPolicy, .create,
                ["code": "T-2", "title": "旧版见习补贴", "valid_to": "2025-09-11"]),
            TrustedEdit(
                "opportunity", Self.job, .create,
                [
                    "kind": "job", "title": "结构设计工程师", "employer": "某某卫浴", "place": "鹤山市沙坪",
                    "starts_on": "2025-09-01", "ends_on": "2025-12-31",
                ]),
            TrustedEdit(
                "contact_group", Self.group, .create, ["name": "2026届群", "platform": "wecom", "cohort": 2026]),
            TrustedEdit(
                "contact_group", Self.otherGroup, .create, ["name": "2020届群", "platform": "wechat", "cohort": 2020]),
        ]
        for (index, cohort) in [2026, 2026, 2026, 2025].enumerated() {
            let student = RowID(bits: UInt128(0xC0 + index))
            edits.append(TrustedEdit("student", student, .create, ["name": .text("学生\(index)")]))
            edits.append(
                TrustedEdit(
                    "schooling", RowID(bits: UInt128(0xD0 + index)), .create,
                    ["student": .id(student), "level": "21", "cohort": .integer(Int64(cohort)), "entry": "2022-09"]))
        }
        try await fixture.write(edits)
        fixture.time.advance(by: 1000)
    }

    static let items = [
        DigestDraft.Item(collection: "opportunity", id: job.description),
        DigestDraft.Item(collection: "policy", id: policy.description),
    ]

    /// Policies of which a few fill a message, and their rows.
    func addLongPolicies(_ count: Int) async throws -> [RowID] {
        let items = (0..<count).map { RowID(bits: UInt128(0x700 + $0)) }
        try await fixture.write(
            items.enumerated().map { number, id in
                TrustedEdit(
                    "policy", id, .create,
                    [
                        "code": .text("长-\(number)"), "title": .text("第\(number)项政策"),
                        "summary": .text(String(repeating: "可以申请补贴。", count: 40)),
                    ])
            })
        return items
    }

    /// Adds an endpoint as one whose test message arrived.
    func add(
        _ name: String, _ channel: String, _ address: String?, group: RowID? = nil, keyword: String? = nil
    ) async throws -> EndpointAdded {
        try await add(
            EndpointDraft(
                name: name, channel: channel, address: address, keyword: keyword, contactGroup: group?.description))
    }

    func add(_ draft: EndpointDraft) async throws -> EndpointAdded {
        let added = try await endpoints.add(draft, by: OutreachFixture.administrator)
        try await fixture.store.setState(.active, of: try row(added.endpoint.id))
        return added
    }

    func compose(channels: [String] = ["wecom", "generic", "manual"]) async throws -> DigestReport {
        try await desk.compose(
            DigestDraft(title: "9月政策与岗位", items: Self.items, audience: "cohort>=2026", channels: channels),
            by: OutreachFixture.author)
    }

    /// A digest that was submitted and approved.
    func approved(channels: [String] = ["wecom", "generic", "manual"]) async throws -> DigestReport {
        try await approve(try await compose(channels: channels))
    }

    /// Submits a draft and approves it.
    func approve(_ draft: DigestReport) async throws -> DigestReport {
        let id = try row(draft.digest.id)
        let review = try await desk.submit(id, version: draft.digest.version, by: OutreachFixture.author).digest
        return try await desk.approve(
            id, version: review.version, preview: try await read(id), by: OutreachFixture.approver)
    }

    /// Reads the preview as the approver, who gives back its mark.
    func read(_ id: RowID) async throws -> String? {
        try await desk.preview(id, for: OutreachFixture.approver).mark
    }

    /// Releases an approved digest.
    func send(_ approved: DigestReport) async throws -> DigestReport {
        try await desk.send(
            try row(approved.digest.id), version: approved.digest.version, students: approved.students,
            by: OutreachFixture.author)
    }

    /// A digest whose deliveries are due.
    func released(channels: [String] = ["wecom", "generic", "manual"]) async throws -> DigestReport {
        try await send(try await approved(channels: channels))
    }

    /// Notes that leased deliveries arrived, as the sender would.
    func arrived(_ leased: [LeasedDelivery]) async throws {
        try await settle(leased, as: .sent, outcome: .sent, code: "sent")
    }

    /// Notes what came of leased deliveries.
    func settle(
        _ leased: [LeasedDelivery], as state: DeliveryState, outcome: Outcome.Class, code: String,
        nextAt: Milliseconds? = nil
    ) async throws {
        let now = fixture.time.now
        try await fixture.store.record(
            leased.map { delivery in
                DeliveryResult(
                    delivery: delivery.id.row, state: state, nextAt: nextAt,
                    attempts: delivery.attempts + 1, outcome: outcome.rawValue, code: code,
                    attempt: AttemptRecord(startedAt: now, finishedAt: now, status: 200, response: ""))
            }, rules: StoreDeliveryQueue.rules)
    }

    func report(_ digest: DigestReport) async throws -> DigestReport {
        try await desk.report(try row(digest.digest.id), for: OutreachFixture.author)
    }

    func row(_ text: String) throws -> RowID {
        guard let id = RowID(text) else { throw LoopbackReceiver.Failure() }
        return id
    }

    var queue: StoreDeliveryQueue {
        StoreDeliveryQueue(store: fixture.store, vault: EndpointVault(key: fixture.key, settings: settings))
    }

    var moment: Moment { Moment(milliseconds: fixture.time.now.value) }
}
