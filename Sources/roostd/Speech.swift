import ArgumentParser
import Foundation
import RoostSchema

/// What every command takes: where the data is, and how to speak.
struct CommonOptions: ParsableArguments {
    @Option(help: "Directory of the database, epoch and key. 数据目录。")
    var data: String?

    @Option(help: "Configuration file in YAML (else ROOST_CONFIG). 配置文件。")
    var config: String?

    @Flag(help: "Print JSON. 输出 JSON。")
    var json = false

    @Option(help: "zh or en; else by the locale. 界面语言。")
    var lang: Language?

    var language: Language { lang ?? .ofLocale }

    func say(_ zh: String, _ en: String) { print(language == .zh ? zh : en) }
    func text(_ label: Label) -> String { language == .zh ? label.zh : label.en }
}

enum Language: String, ExpressibleByArgument, CaseIterable {
    case zh
    case en

    /// By the first of the variables that POSIX gives precedence.
    static var ofLocale: Language {
        let environment = ProcessInfo.processInfo.environment
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
        return locale?.hasPrefix("zh") ?? false ? .zh : .en
    }
}

/// A sentence for the operator and the end of the command.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ options: CommonOptions, _ zh: String, _ en: String) { description = options.text(Label(zh, en)) }
}

/// Prints JSON as one line.
func printLine(_ json: [UInt8]) { print(String(decoding: json, as: UTF8.self)) }
