/// One key of the configuration, declared: what reads it, checks it and explains it derive from this.
package struct SettingKey: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case text
        case flag
        case number(ClosedRange<Int>)
        case choice([String])
    }

    /// Parts joined by dots, as nested in the file: `http.port`.
    package let name: String
    package let kind: Kind
    /// The value when nobody gives one; nil for a setting that may stay unset.
    package let initial: String?
    /// What a number counts.
    package let unit: String?
    package let isSecret: Bool
    /// One or two English sentences.
    package let purpose: String

    package init(
        _ name: String, _ kind: Kind, _ initial: String?, unit: String? = nil, isSecret: Bool = false,
        _ purpose: String
    ) {
        self.name = name
        self.kind = kind
        self.initial = initial
        self.unit = unit
        self.isSecret = isSecret
        self.purpose = purpose
    }

    /// The environment variable that sets it: `ROOST_HTTP_PORT`.
    package var environmentName: String { "ROOST_" + name.uppercased().map { $0 == "." ? "_" : String($0) }.joined() }

    /// Type, range, unit and default, in one line.
    package var summary: String {
        var parts: [String]
        switch kind {
        case .text: parts = ["text"]
        case .flag: parts = ["true or false"]
        case .number(let range): parts = ["\(range.lowerBound)-\(range.upperBound)" + (unit.map { " \($0)" } ?? "")]
        case .choice(let choices): parts = [choices.joined(separator: " or ")]
        }
        parts.append(initial.map { "default \($0)" } ?? "optional")
        if isSecret { parts.append("secret") }
        return parts.joined(separator: ", ")
    }
}

/// Why the configuration is no good, in words for the operator.
package enum SettingProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The value is not of the key's kind; it is not repeated, because it may be a secret.
    case unacceptable(SettingKey)
    case unknownKeys([String])
    case contradiction(String)

    package var description: String {
        switch self {
        case .unacceptable(let key) where key.kind == .text:
            "\(key.name) (\(key.environmentName)) is not usable. What it is: \(key.purpose)"
        case .unacceptable(let key): "\(key.name) (\(key.environmentName)) must be: \(key.summary)"
        case .unknownKeys(let keys): "the configuration file has unknown keys: \(keys.joined(separator: ", "))"
        case .contradiction(let text): text
        }
    }
}
