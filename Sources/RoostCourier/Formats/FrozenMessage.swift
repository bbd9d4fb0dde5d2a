internal import Foundation

/// What a preview tells of frozen bytes, read back from them alone.
package struct FrozenMessage: Hashable, Sendable {
    package let form: MessageForm
    /// The text as a reader gets it, as far as one text holds it; otherwise the body.
    package let content: String
    /// What counts against ``byteLimit``.
    package let contentBytes: Int
    package let byteLimit: Int

    /// Reads a body as ``Message/rendered(for:in:)`` made it; nil for bytes of another channel.
    package init?(_ body: [UInt8], on channel: Channel) {
        guard let whole = String(bytes: body, encoding: .utf8) else { return nil }
        let reading: (form: MessageForm, text: String?, countsText: Bool)?
        switch channel {
        case .generic: reading = (.payload, nil, false)
        case .email: reading = (.mail, MailReading(whole).plainText, false)
        // A poster and a text to copy are told apart by their bullets; both are shown as they are.
        case .manual: reading = (whole.contains("\n★ ") ? .poster : .copy, nil, false)
        case .wecom, .dingtalk, .feishu:
            reading = (try? JSONDecoder().decode(RobotBody.self, from: Data(body)))?.reading(on: channel)
        }
        guard let reading else { return nil }
        form = reading.form
        content = reading.text ?? whole
        contentBytes = reading.countsText ? content.utf8.count : body.count
        byteLimit = channel.byteLimit(of: reading.form)
    }
}

/// The plain text in a letter of ours.
private struct MailReading {
    let plainText: String?

    init(_ letter: String) {
        let parts = letter.components(separatedBy: "Content-Transfer-Encoding: base64\r\n\r\n")
        guard parts.count > 1, let end = parts[1].range(of: "\r\n--=_"),
            let data = Data(base64Encoded: String(parts[1][..<end.lowerBound]), options: .ignoreUnknownCharacters)
        else {
            plainText = nil
            return
        }
        plainText = String(bytes: data, encoding: .utf8)?.replacingOccurrences(of: "\r\n", with: "\n")
    }
}
