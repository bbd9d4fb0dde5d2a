package import RoostAPI
package import RoostCourier
package import RoostStore

/// How a server is to run: read once, checked once, then fixed.
package struct ServerSettings: Hashable, Sendable {
    package struct Certificate: Hashable, Sendable {
        /// PEM files.
        package var chain: String
        package var key: String
    }

    package var data: String
    /// The key in hexadecimal, where it is in no file.
    package var key: String?
    package var host: String
    package var port: Int
    package var certificate: Certificate?
    package var trustsForwardedFor: Bool
    package var limits: Limits
    /// How many rows make a scope worth a snapshot.
    package var snapshotRows: Int
    package var retention: Retention
    package var leniency: Leniency
    package var enrolmentMinutes: Int
    package var enrolmentAttemptsPerMinute: Int
    package var metricsToken: String?
    package var logLevel: String
    package var logFormat: LineLogHandler.Format
    package var demo: Bool
    package var courier: CourierSettings

    /// Whether nobody on the way can read along: TLS, a proxy of ours that is taken to speak it, or loopback.
    package var isProtected: Bool {
        certificate != nil || trustsForwardedFor || host == "localhost" || host == "::1" || host.hasPrefix("127.")
    }

    /// Reads every key and checks it; `value` tells the text given for a key, or nil.
    package init(_ value: (SettingKey) throws -> String?) throws {
        func text(_ key: SettingKey) throws -> String? {
            let text = try value(key) ?? key.initial
            return text?.isEmpty ?? true ? nil : text
        }
        func required(_ key: SettingKey) throws -> String {
            guard let text = try text(key) else { throw SettingProblem.unacceptable(key) }
            return text
        }
        func number(_ key: SettingKey) throws -> Int {
            guard case .number(let range) = key.kind, let number = Int(try required(key)), range.contains(number)
            else { throw SettingProblem.unacceptable(key) }
            return number
        }
        func flag(_ key: SettingKey) throws -> Bool {
            guard let flag = Bool(try required(key).lowercased()) else { throw SettingProblem.unacceptable(key) }
            return flag
        }
        func choice(_ key: SettingKey) throws -> String {
            let text = try required(key)
            guard case .choice(let choices) = key.kind, choices.contains(text) else {
                throw SettingProblem.unacceptable(key)
            }
            return text
        }
        data = try required(.data)
        key = try text(.key)
        host = try required(.host)
        port = try number(.port)
        switch (try text(.certificate), try text(.certificateKey)) {
        case (let chain?, let key?): certificate = Certificate(chain: chain, key: key)
        case (nil, nil): certificate = nil
        default: throw SettingProblem.contradiction("tls.certificate and tls.key are given together or not at all")
        }
        trustsForwardedFor = try flag(.trustsForwardedFor)
        limits = Limits(
            bodyBytes: try number(.bodyBytes), mutations: try number(.mutations),
            timeoutSeconds: try number(.timeoutSeconds), requestsPerMinutePerDevice: try number(.perDevice),
            requestsPerMinutePerAddress: try number(.perAddress), pageBytes: try number(.pageBytes),
            importTimeoutSeconds: try number(.importTimeoutSeconds), watchers: try number(.watchers),
            heartbeatSeconds: try number(.heartbeatSeconds), pollSeconds: try number(.pollSeconds),
            leaseDays: try number(.leaseDays))
        snapshotRows = try number(.snapshotRows)
        retention = Retention(
            tombstoneDays: try number(.tombstoneDays), historyDays: try number(.historyDays),
            verdictDays: try number(.verdictDays))
        leniency = Leniency(graceDays: try number(.graceDays), parkedMutations: try number(.parkedMutations))
        enrolmentMinutes = try number(.enrolmentMinutes)
        enrolmentAttemptsPerMinute = try number(.enrolmentAttempts)
        metricsToken = try text(.metricsToken)
        logLevel = try choice(.logLevel)
        logFormat = LineLogHandler.Format(rawValue: try choice(.logFormat)) ?? .json
        demo = try flag(.demo)
        courier = try CourierSettings.reading(text)
    }

    /// Key and value of every setting, secrets replaced, for the log at start.
    package static func printable(_ value: (SettingKey) throws -> String?) rethrows -> [(String, String)] {
        try SettingKey.all.map { key in
            let text = try value(key) ?? key.initial ?? ""
            return (key.name, key.isSecret && !text.isEmpty ? "***" : text)
        }
    }
}

extension SettingKey {
    package static let data = SettingKey(
        "data", .text, "var", "Directory of the database, the epoch, and the key file; made with mode 0700.")
    package static let key = SettingKey(
        "key", .text, nil, isSecret: true,
        "The server's key as 64 hexadecimal digits, for those who keep it in a vault and not in the data directory's key file. "
            + "Give it in the environment.")
    package static let host = SettingKey(
        "http.host", .text, "127.0.0.1",
        "Address to listen on. Give another one only with tls.* or behind a reverse proxy that speaks TLS.")
    package static let port = SettingKey(
        "http.port", .number(0...65535), "8080", "Port to listen on; 0 takes a free one.")
    package static let trustsForwardedFor = SettingKey(
        "http.trust_forwarded_for", .flag, "false",
        "Whether limits count by the last address of X-Forwarded-For. Only behind a proxy that sets it.")
    package static let certificate = SettingKey(
        "tls.certificate", .text, nil, "PEM file with the certificate and its chain.")
    package static let certificateKey = SettingKey(
        "tls.key", .text, nil, "PEM file with the certificate's private key.")
    package static let bodyBytes = SettingKey(
        "limits.body_bytes", .number(65_536...268_435_456), "8388608", unit: "bytes", "Largest request body.")
    package static let mutations = SettingKey(
        "limits.mutations", .number(1...50_000), "5000", "Most mutations in one changeset.")
    package static let timeoutSeconds = SettingKey(
        "limits.timeout_seconds", .number(1...600), "30", unit: "seconds", "When a request is given up.")
    package static let perDevice = SettingKey(
        "limits.requests_per_minute_per_device", .number(1...100_000), "600", "Requests of one device in a minute.")
    package static let perAddress = SettingKey(
        "limits.requests_per_minute_per_address", .number(1...100_000), "60",
        "Requests without a valid token from one network address in a minute.")
    package static let pageBytes = SettingKey(
        "limits.page_bytes", .number(16_384...16_777_216), "1048576", unit: "bytes",
        "How much of its scopes a replica gets in one answer.")
    package static let importTimeoutSeconds = SettingKey(
        "limits.import_timeout_seconds", .number(1...3600), "600", unit: "seconds", "When an import is given up.")
    package static let watchers = SettingKey(
        "limits.watchers", .number(0...100_000), "2000",
        "Devices that may keep a stream of events open at once; each takes a connection. The others ask now and then.")
    package static let heartbeatSeconds = SettingKey(
        "events.heartbeat_seconds", .number(1...300), "20", unit: "seconds",
        "Between signs of life on a stream of events; less than any proxy before the server waits.")
    package static let pollSeconds = SettingKey(
        "events.poll_seconds", .number(5...3600), "60", unit: "seconds",
        "Between the exchanges of devices that cannot keep a stream open.")
    package static let leaseDays = SettingKey(
        "devices.lease_days", .number(0...3650), "30", unit: "days",
        "How long a device may be out of contact before it locks how people can be reached, until it synchronises; 0 for "
            + "never.")
    package static let snapshotRows = SettingKey(
        "snapshots.minimum_rows", .number(1...10_000_000), "4000", unit: "rows",
        "From how many rows on a scope is sent to new replicas as one compressed file instead of pages.")
    package static let tombstoneDays = SettingKey(
        "retention.tombstone_days", .number(30...36_500), "180", unit: "days",
        "How long it is kept that a row left a scope or was deleted. A device away for longer reads its scopes anew; "
            + "a row deleted for longer cannot be restored.")
    package static let historyDays = SettingKey(
        "retention.history_days", .number(30...36_500), "1095", unit: "days",
        "How long values are kept that gave way to others.")
    package static let verdictDays = SettingKey(
        "retention.verdict_days", .number(30...36_500), "90", unit: "days",
        "How long the verdict of an edit is kept, once its device has it, to be repeated.")
    package static let graceDays = SettingKey(
        "sync.grace_days", .number(0...3650), "14", unit: "days",
        "How long after somebody's access ended an edit that they made before is still applied; later ones wait for a "
            + "person to decide.")
    package static let parkedMutations = SettingKey(
        "sync.parked_mutations", .number(0...1_000_000), "20000",
        "Edits of collections this server does not know yet that it keeps for one officer.")
    package static let enrolmentMinutes = SettingKey(
        "enrolment.code_minutes", .number(1...1440), "10", unit: "minutes", "How long an enrolment code can be used.")
    package static let enrolmentAttempts = SettingKey(
        "enrolment.attempts_per_minute", .number(1...1000), "10",
        "Codes tried from one network address, and tries of one code, in a minute.")
    package static let metricsToken = SettingKey(
        "metrics.token", .text, nil, isSecret: true, "If set, /metrics wants it as a bearer token.")
    package static let logLevel = SettingKey(
        "log.level", .choice(["debug", "info", "notice", "warning", "error"]), "info",
        "The least level that is written to the standard error stream.")
    package static let logFormat = SettingKey("log.format", .choice(["json", "text"]), "json", "Form of log lines.")
    package static let demo = SettingKey(
        "demo", .flag, "false", "Whether a new database is filled with an invented county to try things out.")

    /// All keys, in the order they are explained.
    package static let all =
        [
            data, key, host, port, trustsForwardedFor, certificate, certificateKey, bodyBytes, mutations,
            timeoutSeconds,
            perDevice, perAddress, pageBytes, importTimeoutSeconds, watchers, heartbeatSeconds, pollSeconds,
            leaseDays, snapshotRows, tombstoneDays, historyDays, verdictDays, graceDays,
            parkedMutations, enrolmentMinutes, enrolmentAttempts,
            metricsToken,
            logLevel, logFormat, demo,
        ] + courier
}
