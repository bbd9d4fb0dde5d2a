internal import Curl

/// What came of carrying one delivery to its receiver once.
struct Exchange: Sendable {
    let outcome: Outcome
    let status: Int?
    let connectedAddress: String?
    let timings: TransferTimings
    /// The beginning of the answer as text.
    let answer: String

    /// Carries a delivery out and judges the answer.
    static func carryOut(
        _ delivery: LeasedDelivery, over transport: any HTTPTransport, settings: CourierSettings,
        clock: any SenderClock, limit: Duration = OutwardRequest.longestTransfer
    ) async -> Exchange {
        let channel = delivery.target.channel
        do throws(CurlError) {
            switch OutwardRequest(for: delivery, settings: settings, now: clock.now(), limit: limit) {
            case .post(let request):
                let response = try await transport.send(request)
                return Exchange(
                    outcome: Outcome(of: .success(response), on: channel, now: clock.now()), status: response.status,
                    connectedAddress: response.connectedAddress, timings: response.timings,
                    answer: text(response.body))
            case .letter(let letter):
                let reply = try await transport.send(letter)
                return Exchange(
                    outcome: Outcome(of: .success(reply)), status: reply.code, connectedAddress: reply.connectedAddress,
                    timings: reply.timings, answer: reply.text)
            case .noMailServer:
                return Exchange(
                    outcome: .noMailServer, status: nil, connectedAddress: nil, timings: .zero, answer: "")
            }
        } catch {
            let outcome =
                channel == .email
                ? Outcome(of: .failure(error)) : Outcome(of: .failure(error), on: channel, now: clock.now())
            return Exchange(
                outcome: outcome, status: error.status, connectedAddress: error.connectedAddress,
                timings: error.timings, answer: error.answer)
        }
    }

    private static func text(_ body: [UInt8]) -> String {
        String(decoding: body.prefix(AttemptResult.answerLimit), as: UTF8.self)
    }
}

extension AttemptResult {
    /// What is kept of a delivery; without an exchange, of one that goes back unsent.
    init(
        of delivery: LeasedDelivery, outcome: Outcome, decision: DeliveryDecision, exchange: Exchange?,
        settings: CourierSettings, startedAt: Moment, finishedAt: Moment
    ) {
        self.init(
            delivery: delivery.id, endpoint: delivery.endpoint, channel: delivery.target.channel,
            url: OutwardRequest.redactedAddress(of: delivery.target, settings: settings), startedAt: startedAt,
            finishedAt: finishedAt, outcome: outcome, decision: decision, status: exchange?.status,
            connectedAddress: exchange?.connectedAddress, timings: exchange?.timings ?? .zero,
            answer: exchange?.answer ?? "")
    }
}
