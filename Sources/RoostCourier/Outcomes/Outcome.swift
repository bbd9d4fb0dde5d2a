/// What one attempt came to, and what to do about it.
package struct Outcome: Hashable, Sendable {
    /// The kinds of outcome that are treated differently.
    package enum Class: String, CaseIterable, Hashable, Sendable {
        /// The receiver has it.
        case sent
        /// The receiver wants fewer; its endpoint waits, and the attempt does not count.
        case rateLimited = "rate_limited"
        /// The receiver takes no more today; its endpoint waits for tomorrow, and the attempt does not count.
        case quota
        /// The receiver does not have it, and the next attempt may succeed.
        case transient
        /// A person must mend the endpoint first.
        case config
        /// The receiver will never take this message.
        case content
        /// The receiver may or may not have it.
        case uncertain
        /// The receiver refused for a reason we have no name for; tried once more at most.
        case unrecognised
        /// The endpoint leads to an address that deliveries must not go to.
        case blocked
        /// The attempt never started; it does not count.
        case deferred
    }

    package let channel: Channel
    package let `class`: Class
    /// The stable code: `sent`, `wecom_93000`, `http_503`, `smtp_550`, or that of a transfer's failure such as `timed_out`.
    ///
    /// `clock_fast_SECONDS` and `clock_slow_SECONDS` tell by how much this server's clock differs from the receiver's.
    package let code: String
    /// What the vendor's answer says in its own code and words, for the log.
    package let vendor: VendorAnswer?
    /// How long the receiver asks to be left alone.
    package let retryAfter: Duration?

    init(
        _ class: Class, on channel: Channel, code: String, vendor: VendorAnswer? = nil, retryAfter: Duration? = nil
    ) {
        self.class = `class`
        self.channel = channel
        self.code = code
        self.vendor = vendor
        self.retryAfter = retryAfter
    }

    /// What a person should do now.
    package var instruction: Instruction { Instruction(after: `class`, code: code, on: channel) }
}

/// The code and the words in a robot's answer.
package struct VendorAnswer: Hashable, Sendable {
    package let code: Int
    /// Cut to 300 characters.
    package let message: String

    init(code: Int, message: String) {
        self.code = code
        self.message = String(message.prefix(300))
    }
}
