/// What a digest says, independent of where it is sent: a headline and sections of items.
package struct Message: Hashable, Sendable {
    package var headline: String
    package var summary: String?
    /// The address of the whole digest, shown once, under the summary.
    package var url: String?
    /// In reading order; a section without items is left out.
    package var sections: [Section]

    package init(headline: String, summary: String? = nil, url: String? = nil, sections: [Section] = []) {
        self.headline = headline
        self.summary = summary
        self.url = url
        self.sections = sections
    }

    /// A titled run of items.
    package struct Section: Hashable, Sendable {
        package var title: String
        package var items: [Item]

        package init(title: String, items: [Item]) {
            self.title = title
            self.items = items
        }
    }

    /// One policy, post or event: the unit that is never split.
    package struct Item: Hashable, Sendable {
        package var title: String
        package var text: String?
        package var url: String?
        /// The last day, as `2026-12-31`.
        package var deadline: String?
        /// The address of a picture, for forms that show one beside each item.
        package var picture: String?

        package init(
            title: String, text: String? = nil, url: String? = nil, deadline: String? = nil, picture: String? = nil
        ) {
            self.title = title
            self.text = text
            self.url = url
            self.deadline = deadline
            self.picture = picture
        }
    }
}

/// The language of the few words a rendering adds of its own.
package enum MessageLanguage: String, CaseIterable, Hashable, Sendable {
    case chinese = "zh-Hans"
    case english = "en"

    var deadline: String { self == .chinese ? "截止" : "Until" }
    var readMore: String { self == .chinese ? "阅读全文" : "Read more" }
    var colon: String { self == .chinese ? "：" : ": " }
}
