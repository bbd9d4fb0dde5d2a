import Configuration
import Foundation
import RoostServer

/// Settings from flags, environment variables, file and defaults, in this order.
struct SettingsReading {
    let settings: ServerSettings
    /// Key and value as given, secrets replaced.
    let printable: [(String, String)]

    /// Reads all sources; `flags` is what the command line says.
    init(_ options: CommonOptions, flags: [SettingKey: String] = [:]) async throws {
        var flags = flags
        flags[.data] = options.data
        var providers: [any ConfigProvider] = [
            InMemoryProvider(
                values: Dictionary(
                    uniqueKeysWithValues: flags.map { key, value in
                        (AbsoluteConfigKey(ConfigKey(key.name)), ConfigValue(.string(value), isSecret: key.isSecret))
                    })),
            EnvironmentVariablesProvider().prefixKeys(with: "roost"),
        ]
        if let path = options.config ?? ProcessInfo.processInfo.environment["ROOST_CONFIG"] {
            guard let file = FileManager.default.contents(atPath: path) else {
                throw Failure(options, "读不到配置文件 \(path)", "cannot read the configuration file \(path)")
            }
            // The example as printed sets nothing, which to the library is no mapping and so an error.
            if Self.setsAnything(file) {
                let unknown = try Self.keys(in: Array(file)).subtracting(SettingKey.all.map(\.name))
                guard unknown.isEmpty else { throw SettingProblem.unknownKeys(unknown.sorted()) }
                let place = InMemoryProvider(values: ["filePath": ConfigValue(.string(path), isSecret: false)])
                providers.append(try await FileProvider<YAMLSnapshot>(config: ConfigReader(provider: place)))
            }
        }
        let reader = ConfigReader(providers: providers)
        var values: [SettingKey: String] = [:]
        for key in SettingKey.all {
            // The fetching form: it throws where a value is no text, while the getting one would fall to the default.
            values[key] = try await reader.fetchString(forKey: ConfigKey(key.name), isSecret: key.isSecret)
        }
        settings = try ServerSettings { values[$0] }
        printable = ServerSettings.printable { values[$0] }
    }

    /// Whether a file holds more than blank lines and comments.
    private static func setsAnything(_ file: Data) -> Bool {
        String(decoding: file, as: UTF8.self).split(whereSeparator: \.isNewline)
            .contains { line in line.first { $0 != " " && $0 != "\t" }.map { $0 != "#" } ?? false }
    }

    /// The keys a YAML file sets, joined by dots.
    ///
    /// The library offers look-up but no list; with every value secret, its debug text is exactly that list:
    /// `name[2 values: a.b=<REDACTED>, c=<REDACTED>]`.
    private static func keys(in file: [UInt8]) throws -> Set<String> {
        let options = YAMLSnapshot.ParsingOptions(secretsSpecifier: .all)
        let snapshot = try unsafe YAMLSnapshot(data: file.span.bytes, providerName: "file", parsingOptions: options)
        let text = snapshot.debugDescription
        guard let start = text.firstRange(of: "values: ")?.upperBound, text.hasSuffix("]") else { return [text] }
        let pairs = text[start...].dropLast().split(separator: ", ")
        return Set(pairs.map { String($0.prefix { $0 != "=" }) })
    }
}
