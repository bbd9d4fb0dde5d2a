package import Curl

extension Outcome {
    /// Judges the handing over of one letter.
    ///
    /// A mail server answers a letter it got whole with a code, and until then keeps nothing: so a code decides, and without
    /// one everything depends on whether the whole letter had left.
    package init(of result: Result<MailReply, CurlError>) {
        switch result {
        case .success(let reply):
            self = .letter(code: reply.code)
        case .failure(let error):
            switch error.reason {
            case .loginRefused, .unwelcome, .senderRefused:
                // The same for every mailbox, and mended by the operator: no endpoint and no letter is to blame.
                self = Outcome(.transient, on: .email, code: error.reason.rawValue)
            case .invalidURL:
                self = Outcome(.transient, on: .email, code: "mail_server_invalid")
            case .refused:
                self = .letter(code: error.status ?? 0)
            default:
                self = .failure(error, on: .email)
            }
        }
    }

    /// There is no mail server in the settings; letters wait for one.
    package static let noMailServer = Outcome(.transient, on: .email, code: "no_mail_server")

    /// Whether the code tells of the mail server in the settings, and so neither of the endpoint nor of the letter.
    ///
    /// Only what the server says of this recipient or this letter tells of them; that it is not there, is busy or refuses us
    /// is the same for every mailbox and is mended by the operator.
    package static func blamesMailServer(code: String, on channel: Channel) -> Bool {
        guard channel == .email, code != "sent", code != "sender_lost" else { return false }
        guard let code = Int(code.trimmingPrefix("smtp_")) else { return true }
        return [421, 454, 530, 534, 535, 538].contains(code)
    }

    private static func letter(code: Int) -> Outcome {
        let name = "smtp_\(code)"
        switch code {
        case 200..<300: return Outcome(.sent, on: .email, code: "sent")
        // The mailbox is not there, has moved, or may not be written to; syntax of an address.
        case 550, 551, 553, 556, 501: return Outcome(.config, on: .email, code: name)
        // Authentication demanded or too weak: the operator's settings, not the mailbox.
        case 530, 534, 535, 538: return Outcome(.transient, on: .email, code: name)
        // Too large for the mailbox, refused as spam, and other refusals for good.
        case 500..<600: return Outcome(.content, on: .email, code: name)
        // Greylisting, a full mailbox, a server about to restart.
        default: return Outcome(.transient, on: .email, code: name)
        }
    }
}
