/// What the server takes, advertised at `/v1/limits` so that clients keep within it.
package struct Limits: Codable, Hashable, Sendable {
    /// Bytes of a request body.
    package var bodyBytes: Int
    /// Mutations of one changeset.
    package var mutations: Int
    /// Seconds until a request is given up.
    package var timeoutSeconds: Int
    /// Requests per minute of one device.
    package var requestsPerMinutePerDevice: Int
    /// Requests per minute of one network address without a token (enrolment, limits, schema).
    package var requestsPerMinutePerAddress: Int
    /// Bytes of rows in one answer.
    package var pageBytes: Int
    /// Seconds until an import is given up: large sheets take longer than anything else.
    package var importTimeoutSeconds: Int
    /// How many devices may watch `/v1/events` at once.
    package var watchers: Int
    /// Seconds between signs of life on a stream of events.
    package var heartbeatSeconds: Int
    /// Seconds between exchanges of a replica that cannot watch.
    package var pollSeconds: Int
    /// Days without contact after which a replica locks the fields the catalogue says are leased; 0 for never.
    package var leaseDays: Int

    enum CodingKeys: String, CodingKey {
        case bodyBytes = "body_bytes"
        case mutations
        case timeoutSeconds = "timeout_seconds"
        case requestsPerMinutePerDevice = "requests_per_minute_per_device"
        case requestsPerMinutePerAddress = "requests_per_minute_per_address"
        case pageBytes = "page_bytes"
        case importTimeoutSeconds = "import_timeout_seconds"
        case watchers
        case heartbeatSeconds = "heartbeat_seconds"
        case pollSeconds = "poll_seconds"
        case leaseDays = "lease_days"
    }

    package init(
        bodyBytes: Int = 8 * 1024 * 1024, mutations: Int = 5000, timeoutSeconds: Int = 30,
        requestsPerMinutePerDevice: Int = 600, requestsPerMinutePerAddress: Int = 60, pageBytes: Int = 1024 * 1024,
        importTimeoutSeconds: Int = 600, watchers: Int = 2000, heartbeatSeconds: Int = 20, pollSeconds: Int = 60,
        leaseDays: Int = 30
    ) {
        self.bodyBytes = bodyBytes
        self.mutations = mutations
        self.timeoutSeconds = timeoutSeconds
        self.requestsPerMinutePerDevice = requestsPerMinutePerDevice
        self.requestsPerMinutePerAddress = requestsPerMinutePerAddress
        self.pageBytes = pageBytes
        self.importTimeoutSeconds = importTimeoutSeconds
        self.watchers = watchers
        self.heartbeatSeconds = heartbeatSeconds
        self.pollSeconds = pollSeconds
        self.leaseDays = leaseDays
    }

    /// Reads what a server advertises; an older one says nothing of what it does not have.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let initial = Limits()
        func number(_ key: CodingKeys, or initial: Int? = nil) throws -> Int {
            guard let initial else { return try values.decode(Int.self, forKey: key) }
            return try values.decodeIfPresent(Int.self, forKey: key) ?? initial
        }
        bodyBytes = try number(.bodyBytes)
        mutations = try number(.mutations)
        timeoutSeconds = try number(.timeoutSeconds)
        requestsPerMinutePerDevice = try number(.requestsPerMinutePerDevice)
        requestsPerMinutePerAddress = try number(.requestsPerMinutePerAddress)
        pageBytes = try number(.pageBytes)
        importTimeoutSeconds = try number(.importTimeoutSeconds, or: initial.importTimeoutSeconds)
        watchers = try number(.watchers, or: 0)
        heartbeatSeconds = try number(.heartbeatSeconds, or: initial.heartbeatSeconds)
        pollSeconds = try number(.pollSeconds, or: initial.pollSeconds)
        leaseDays = try number(.leaseDays, or: 0)
    }
}
