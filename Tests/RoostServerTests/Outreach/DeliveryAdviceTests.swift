import RoostCourier
import RoostSchema
import RoostStore
import Testing

@testable import RoostServer

/// What is said of deliveries, whatever became of them.
struct DeliveryAdviceTests {
    /// Codes that come with a class, and none.
    private static func codes(of outcome: Outcome.Class) -> [String?] {
        let codes: [String] =
            switch outcome {
            case .sent: ["sent"]
            case .rateLimited: ["http_429", "dingtalk_1111"]
            case .quota: ["dingtalk_90030"]
            case .transient:
                [
                    "http_503", "timed_out", "unreachable", "certificate", "proxy", "no_mail_server", "login_refused",
                    "sender_refused", "clock_fast_400", "smtp_450",
                ]
            case .config:
                ["wecom_93000", "dingtalk_400013", "http_410", "forbidden_port", "endpoint_unreadable", "smtp_550"]
            case .content: ["http_413", "lacks_keyword", "dingtalk_430101"]
            case .uncertain: ["timed_out", "certificate", "proxy", "sender_lost", "interrupted"]
            case .unrecognised: ["wecom_1"]
            case .blocked: ["blocked"]
            case .deferred:
                ["recalled", "endpoint_busy", "not_posted", "digest_cancelled", "backlog_skipped", "restored"]
            }
        return codes + [nil]
    }
    private static let holds = [
        nil, "suspended", "rate", "quiet", "untested", "paused", "disabled", "sending_paused", "earlier_part",
    ]

    /// Whether the words say that something happens by itself.
    private static func promises(_ label: Label) -> Bool {
        let zh = label.zh.replacing("不再自动", with: "").replacing("不会自动", with: "")
        let en = label.en.replacing("not tried again by itself", with: "").replacing(
            "not sent again by itself", with: "")
        return zh.contains("自动") || ["by itself", "is sent again", "goes on"].contains { en.contains($0) }
    }

    @Test(arguments: DeliveryState.allCases, Outcome.Class.allCases)
    func `only of what waits for nothing but time is it said that it is tried again`(
        _ state: DeliveryState, _ outcome: Outcome.Class
    ) {
        let waits = [.queued, .retryWait, .held].contains(state)
        for channel in Channel.allCases {
            for code in Self.codes(of: outcome) {
                for heldBy in waits ? Self.holds : [nil] {
                    for isRetired in [false, true] {
                        let advice = DeliveryAdvice(
                            state: state, heldBy: heldBy, outcome: outcome, code: code, attempts: 1, channel: channel,
                            isRetired: isRetired)
                        let isDue = waits && !isRetired && [nil, "suspended", "rate", "quiet"].contains(heldBy)
                        guard let label = advice.label, Self.promises(label) else { continue }
                        #expect(isDue, "\(advice): \(label.en)")
                    }
                }
            }
        }
    }

    @Test(arguments: [DeliveryState.uncertain, .failed, .expired, .cancelled])
    func `of what ended without arriving something is always said`(_ state: DeliveryState) {
        for outcome in Outcome.Class.allCases.map(Optional.some) + [nil] {
            for channel in Channel.allCases {
                let advice = DeliveryAdvice(
                    state: state, outcome: outcome, code: nil, attempts: 0, channel: channel, isRetired: false)
                #expect(advice.label != nil)
            }
        }
    }

    @Test(arguments: Outcome.Class.allCases)
    func `of an endpoint that is paused or disabled nobody is told that it goes on`(_ outcome: Outcome.Class) {
        for channel in Channel.allCases {
            let words = Instruction(after: outcome, code: "http_503", on: channel, isStopped: true)
            let label = Label(words.chinese, words.english)
            let isDenied = label.en.contains("nothing goes there by itself") && label.zh.contains("不再自动")
            #expect(isDenied || !Self.promises(label), "\(label.en)")
        }
    }
}
