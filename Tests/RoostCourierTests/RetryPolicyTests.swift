import Curl
import RoostCourier
import Testing

@Suite struct RetryPolicyTests {
    static let now = Moment(milliseconds: 1_000_000)
    static let hour: Int64 = 3_600_000

    private func it(
        _ channel: Channel, attempts: Int = 0, notAfter: Moment = Moment(milliseconds: now.milliseconds + 1000 * hour),
        jitter: Double = 0.5
    ) -> DeliveryCircumstances {
        DeliveryCircumstances(channel: channel, attempts: attempts, now: Self.now, notAfter: notAfter, jitter: jitter)
    }

    private func outcome(_ status: Int, _ channel: Channel = .generic, retryAfter: Int? = nil, body: String = "")
        -> Outcome
    {
        let headers = retryAfter.map { [HTTPHeader("Retry-After", "\($0)")] } ?? []
        return Outcome(
            of: .success(HTTPResponse(status: status, headers: headers, body: Array(body.utf8))), on: channel,
            now: Self.now)
    }

    private func wecom(_ code: Int) -> Outcome { outcome(200, .wecom, body: #"{"errcode":\#(code)}"#) }

    private let timedOut = CurlError(.timedOut, requestMayHaveLeft: true)

    private func lost(_ channel: Channel) -> Outcome { Outcome(of: .failure(timedOut), on: channel, now: Self.now) }

    /// The waits of attempt after attempt in seconds, up to the final status.
    private func waits(_ channel: Channel, _ outcome: Outcome, most: Int) -> (waits: [Int64], last: DeliveryStatus) {
        var waits: [Int64] = []
        for attempts in 0..<most {
            let decision = RetryPolicy.decision(after: outcome, it(channel, attempts: attempts))
            #expect(decision.attempts == attempts + 1)
            guard let next = decision.nextAt else { return (waits, decision.status) }
            #expect(decision.status == .retryWait)
            waits.append((next.milliseconds - Self.now.milliseconds) / 1000)
        }
        return (waits, .retryWait)
    }

    @Test func `a webhook is retried nine times over two days and then has failed`() {
        let schedule = waits(.generic, outcome(500), most: 20)
        #expect(schedule.waits == [5, 30, 120, 600, 1800, 7200, 21_600, 43_200, 86_400])
        #expect(schedule.last == .failed)
        #expect(waits(.generic, lost(.generic), most: 20).waits == schedule.waits)
    }

    @Test func `a robot is retried hourly for as long as the message makes sense`() {
        let schedule = waits(.wecom, wecom(-1), most: 8)
        #expect(schedule.waits == [10, 60, 300, 900, 3600, 3600, 3600, 3600])
        #expect(schedule.last == .retryWait)
    }

    @Test func `an uncertain message to a robot is never repeated`() {
        let decision = RetryPolicy.decision(after: lost(.wecom), it(.wecom))
        #expect(decision == DeliveryDecision(status: .uncertain, attempts: 1))
        #expect(decision.status.isFinal)
    }

    @Test func `sent is final, even after the last moment`() {
        let late = it(.wecom, attempts: 3, notAfter: Self.now)
        #expect(RetryPolicy.decision(after: wecom(0), late) == DeliveryDecision(status: .sent, attempts: 4))
    }

    @Test(arguments: [(nil, 65), (10, 65), (600, 600), (200_000, 86_400)] as [(Int?, Int64)])
    func `a rate limit holds the endpoint and uses up no attempt`(_ hint: Int?, _ seconds: Int64) {
        let until = Moment(milliseconds: Self.now.milliseconds + seconds * 1000)
        let decision = RetryPolicy.decision(after: outcome(429, retryAfter: hint), it(.generic, attempts: 2))
        #expect(
            decision
                == DeliveryDecision(status: .held, nextAt: until, attempts: 2, endpointHeldUntil: until))
    }

    @Test func `an attempt that never started uses up nothing and is due a moment later`() {
        let outcome = Outcome(of: .failure(CurlError(.closed)), on: .wecom, now: Self.now)
        let decision = RetryPolicy.decision(after: outcome, it(.wecom, attempts: 2))
        #expect(decision == DeliveryDecision(status: .queued, nextAt: Self.now + .seconds(1), attempts: 2))
    }

    @Test(arguments: [(0.0, 24_000), (0.5, 30_000), (1.0, 36_000)] as [(Double, Int64)])
    func `jitter spreads a wait by a fifth either way`(_ jitter: Double, _ milliseconds: Int64) {
        let decision = RetryPolicy.decision(after: outcome(500), it(.generic, attempts: 1, jitter: jitter))
        #expect(decision.nextAt?.milliseconds == Self.now.milliseconds + milliseconds)
    }

    @Test(arguments: [(1, 5), (100, 100), (1_000_000, 86_400)] as [(Int, Int64)])
    func `a hint lengthens a wait, never shortens it, and has a limit`(_ hint: Int, _ seconds: Int64) {
        let decision = RetryPolicy.decision(after: outcome(503, retryAfter: hint), it(.generic))
        #expect(decision.nextAt?.milliseconds == Self.now.milliseconds + seconds * 1000)
    }

    @Test func `config stops the endpoint; content and a blocked address stop the delivery`() {
        let stopped = DeliveryDecision(status: .failed, attempts: 1, disablesEndpoint: true)
        let failed = DeliveryDecision(status: .failed, attempts: 1)
        let blocked = Outcome(of: .failure(CurlError(.blocked)), on: .generic, now: Self.now)
        #expect(RetryPolicy.decision(after: wecom(93000), it(.wecom)) == stopped)
        #expect(RetryPolicy.decision(after: outcome(410), it(.generic)) == stopped)
        #expect(RetryPolicy.decision(after: wecom(40058), it(.wecom)) == failed)
        #expect(RetryPolicy.decision(after: blocked, it(.generic)) == failed)
    }

    @Test func `an error without a name is tried once more`() {
        #expect(waits(.wecom, wecom(99999), most: 5).waits == [10])
        #expect(waits(.wecom, wecom(99999), most: 5).last == .failed)
    }

    @Test(arguments: Retriable.allCases)
    func `what would be due at the last moment has expired instead`(_ retriable: Retriable) {
        let (outcome, wait) = parts(retriable)
        let channel: Channel = retriable == .webhookFailure ? .generic : .wecom
        let due = Moment(milliseconds: Self.now.milliseconds + wait)
        let justInTime = it(channel, notAfter: Moment(milliseconds: due.milliseconds + 1))
        #expect(RetryPolicy.decision(after: outcome, justInTime).nextAt == due)
        let decision = RetryPolicy.decision(after: outcome, it(channel, notAfter: due))
        #expect(decision.status == .expired && decision.nextAt == nil)
    }

    enum Retriable: CaseIterable { case hold, deferral, robotFailure, webhookFailure }

    private func parts(_ retriable: Retriable) -> (Outcome, wait: Int64) {
        switch retriable {
        case .hold: (wecom(45009), 65_000)
        case .deferral: (Outcome(of: .failure(CurlError(.closed)), on: .wecom, now: Self.now), 1000)
        case .robotFailure: (wecom(-1), 10_000)
        case .webhookFailure: (outcome(500), 5000)
        }
    }

    @Test func `a lease that ends without a result is uncertain for a robot and repeated for a webhook`() {
        #expect(
            RetryPolicy.decision(afterExpiredLease: it(.wecom, attempts: 1))
                == DeliveryDecision(status: .uncertain, attempts: 2))
        #expect(
            RetryPolicy.decision(afterExpiredLease: it(.generic, attempts: 1))
                == DeliveryDecision(status: .queued, nextAt: Self.now, attempts: 2))
        #expect(RetryPolicy.decision(afterExpiredLease: it(.generic, notAfter: Self.now)).status == .expired)
        #expect(RetryPolicy.decision(afterExpiredLease: it(.wecom, notAfter: Self.now)).status == .uncertain)
    }
}
