package import Curl
internal import Foundation

/// Where a letter goes, and how whoever gets it can stop them.
package struct MailTarget: Hashable, Sendable {
    package let address: MailAddress
    /// An https address that unsubscribes by one POST without asking further (RFC 8058); it holds a token.
    package let unsubscribe: WebhookURL?

    package init(_ address: MailAddress, unsubscribe: WebhookURL? = nil) {
        self.address = address
        self.unsubscribe = unsubscribe
    }
}

/// The head that a frozen letter gets when it is sent: from whom, to whom, when, and how to unsubscribe.
package enum MailEnvelope {
    /// The letter as it is handed to the mail server; the frozen bytes follow the head unchanged.
    ///
    /// The message id is the same for every attempt, so that a mailbox which got the letter twice can tell.
    package static func letter(
        _ body: [UInt8], to target: MailTarget, as id: WebhookID, settings: MailSettings, now: Moment
    ) -> MailRequest {
        let sender = settings.sender
        var lines: [String] = []
        if let name = settings.senderName?.singleLine, !name.isEmpty {
            // A name in ASCII could hold a comma or a quote, so that it is always an encoded word.
            lines += MailHeader.words("From", [name.encodedWord, "<\(sender.revealed)>"])
        } else {
            lines.append("From: <\(sender.revealed)>")
        }
        lines += [
            "To: <\(target.address.revealed)>",
            "Date: \(date(now))",
            "Message-ID: <\(id.description.filter { $0.isLetter || $0.isNumber || "-_".contains($0) })@\(sender.domain)>",
            // No answers by absence assistants to something sent to many (RFC 3834).
            "Auto-Submitted: auto-generated",
        ]
        let byMail = "<mailto:\(sender.revealed)?subject=unsubscribe>"
        if let url = target.unsubscribe {
            lines += MailHeader.words("List-Unsubscribe", ["<\(url.revealed)>,", byMail])
            lines.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
        } else {
            lines.append("List-Unsubscribe: \(byMail)")
        }
        return MailRequest(
            server: settings.server, sender: sender.revealed, recipient: target.address.revealed,
            letter: Array((lines.joined(separator: "\r\n") + "\r\n").utf8) + body)
    }

    /// The moment as mail writes it (RFC 5322, 3.3), in China's time.
    static func date(_ moment: Moment) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(secondsFromGMT: 8 * 3600) ?? .gmt
        let it = calendar.dateComponents(
            [.weekday, .day, .month, .year, .hour, .minute, .second],
            from: Date(timeIntervalSince1970: TimeInterval(moment.seconds)))
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func two(_ number: Int?) -> String { String(100 + (number ?? 0)).suffix(2).description }
        return "\(days[(it.weekday ?? 1) - 1]), \(two(it.day)) \(months[(it.month ?? 1) - 1]) \(it.year ?? 1970) "
            + "\(two(it.hour)):\(two(it.minute)):\(two(it.second)) +0800"
    }
}

extension MailHeader {
    /// A header of words of printable ASCII, one to a line.
    fileprivate static func words(_ name: String, _ words: [String]) -> [String] {
        ["\(name): \(words[0])"] + words.dropFirst().map { " \($0)" }
    }
}

extension String {
    /// The text as one encoded word, cut to what fits in it.
    fileprivate var encodedWord: String {
        "=?UTF-8?B?\(Data(cut(toBytes: 39).utf8).base64EncodedString())?="
    }
}
