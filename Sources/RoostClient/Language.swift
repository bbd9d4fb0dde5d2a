package import RoostSchema

/// The languages of the product.
package enum Language: String, Hashable, Sendable, CaseIterable {
    case zh, en

    /// The language of a locale as POSIX names it: Chinese for `zh…`, else English.
    package init(environment: [String: String]) {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
        self = locale?.lowercased().hasPrefix("zh") ?? false ? .zh : .en
    }
}

extension Label {
    package func text(_ language: Language) -> String { language == .zh ? zh : en }
}
