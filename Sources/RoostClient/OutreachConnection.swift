package import RoostAPI
import Curl
import RoostSync

/// Digests and endpoints, which live on the server alone.
extension ServerConnection {
    /// A step that moves a digest on.
    package enum DigestMove: String, Sendable {
        case submit, approve, reject, schedule, send, cancel
    }

    package func digests() async throws(ClientError) -> DigestList {
        try decode(DigestList.self, try await send(.get, Path.digests))
    }

    package func digest(_ id: String) async throws(ClientError) -> DigestReport {
        try decode(DigestReport.self, try await send(.get, "\(Path.digests)/\(id)"))
    }

    /// Makes a draft; not repeated, so that a lost answer does not make two.
    package func compose(_ draft: DigestDraft) async throws(ClientError) -> DigestReport {
        try decode(
            DigestReport.self, try await send(.post, Path.digests, json: try encode(draft), attempts: 1))
    }

    package func edit(_ id: String, _ draft: DigestDraft) async throws(ClientError) -> DigestReport {
        try decode(DigestReport.self, try await send(.put, "\(Path.digests)/\(id)", json: try encode(draft)))
    }

    package func preview(_ id: String) async throws(ClientError) -> DigestPreview {
        try decode(DigestPreview.self, try await send(.get, "\(Path.digests)/\(id)/preview"))
    }

    /// Takes a step; naming the version makes a repetition harmless.
    package func move(
        _ id: String, _ move: DigestMove, _ step: DigestStepRequest
    ) async throws(ClientError) -> DigestReport {
        try decode(
            DigestReport.self,
            try await send(.post, "\(Path.digests)/\(id)/\(move.rawValue)", json: try encode(step), attempts: 1))
    }

    package func test(_ digest: String, at endpoint: String) async throws(ClientError) -> EndpointTest {
        let body = try encode(DigestTestRequest(endpoint: endpoint))
        return try decode(
            EndpointTest.self, try await send(.post, "\(Path.digests)/\(digest)/test", json: body, attempts: 1))
    }

    package func redrive(_ digest: String, _ redrive: RedriveRequest) async throws(ClientError) -> DigestReport {
        try decode(
            DigestReport.self,
            try await send(.post, "\(Path.digests)/\(digest)/redrive", json: try encode(redrive), attempts: 1))
    }

    package func log(of delivery: String) async throws(ClientError) -> DeliveryLog {
        try decode(DeliveryLog.self, try await send(.get, "\(Path.deliveries)/\(delivery)"))
    }

    /// Who was told what: by `item` (a row, code or title), or by the row of an `endpoint` or `member`.
    package func tellings(_ name: String, _ value: String) async throws(ClientError) -> TellingList {
        try decode(TellingList.self, try await send(.get, "\(Path.tellings)?\(name)=\(Self.escaped(value))"))
    }

    package func schedules() async throws(ClientError) -> ScheduleList {
        try decode(ScheduleList.self, try await send(.get, Path.schedules))
    }

    package func add(_ schedule: ScheduleDraft) async throws(ClientError) -> ScheduleSummary {
        try decode(
            ScheduleSummary.self, try await send(.post, Path.schedules, json: try encode(schedule), attempts: 1))
    }

    /// Does one of `pause`, `resume` and `remove` to a schedule.
    package func change(schedule id: String, _ change: String) async throws(ClientError) -> ScheduleList {
        try decode(
            ScheduleList.self, try await send(.post, "\(Path.schedules)/\(id)/\(change)", attempts: 1))
    }

    package func markSent(_ delivery: String, reach: Int?) async throws(ClientError) -> DigestReport {
        let body = try encode(MarkSentRequest(reach: reach))
        return try decode(
            DigestReport.self,
            try await send(.post, "\(Path.deliveries)/\(delivery)/mark-sent", json: body, attempts: 1))
    }

    package func markSent(
        digest: String, at endpoint: String, reach: Int?
    ) async throws(ClientError) -> DigestReport {
        let body = try encode(MarkEndpointSentRequest(endpoint: endpoint, reach: reach))
        return try decode(
            DigestReport.self,
            try await send(.post, "\(Path.digests)/\(digest)/mark-sent", json: body, attempts: 1))
    }

    package func endpoints() async throws(ClientError) -> EndpointList {
        try decode(EndpointList.self, try await send(.get, Path.endpoints))
    }

    package func endpointNotices() async throws(ClientError) -> EndpointNoticeList {
        try decode(EndpointNoticeList.self, try await send(.get, Path.endpointNotices))
    }

    package func add(_ endpoint: EndpointDraft) async throws(ClientError) -> EndpointAdded {
        try decode(
            EndpointAdded.self, try await send(.post, Path.endpoints, json: try encode(endpoint), attempts: 1))
    }

    package func edit(endpoint: String, _ draft: EndpointDraft) async throws(ClientError) -> EndpointAdded {
        try decode(
            EndpointAdded.self,
            try await send(.put, "\(Path.endpoints)/\(endpoint)", json: try encode(draft), attempts: 1))
    }

    package func rotate(endpoint: String, _ rotation: EndpointRotation) async throws(ClientError) -> EndpointAdded {
        try decode(
            EndpointAdded.self,
            try await send(.post, "\(Path.endpoints)/\(endpoint)/rotate", json: try encode(rotation), attempts: 1))
    }

    package func log(ofEndpoint id: String) async throws(ClientError) -> EndpointLog {
        try decode(EndpointLog.self, try await send(.get, "\(Path.endpoints)/\(id)/log"))
    }

    package func testEndpoint(_ id: String) async throws(ClientError) -> EndpointTest {
        try decode(EndpointTest.self, try await send(.post, "\(Path.endpoints)/\(id)/test", attempts: 1))
    }

    package func pauseEndpoint(_ id: String) async throws(ClientError) -> EndpointSummary {
        try decode(EndpointSummary.self, try await send(.post, "\(Path.endpoints)/\(id)/pause"))
    }

    package func retireEndpoint(_ id: String) async throws(ClientError) -> EndpointSummary {
        try decode(EndpointSummary.self, try await send(.post, "\(Path.endpoints)/\(id)/retire"))
    }

    package func resumeEndpoint(_ id: String, backlog: String) async throws(ClientError) -> EndpointSummary {
        let body = try encode(EndpointResumption(backlog: backlog))
        return try decode(EndpointSummary.self, try await send(.post, "\(Path.endpoints)/\(id)/resume", json: body))
    }
}
