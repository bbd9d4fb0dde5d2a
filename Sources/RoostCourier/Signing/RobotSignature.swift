internal import Crypto
internal import Foundation

/// The secret a DingTalk or Feishu robot shows when 加签 (signing) is switched on.
package struct RobotSecret: Hashable, Sendable, Concealed {
    /// The secret itself, to be stored encrypted.
    package let revealed: String

    /// Accepts the secret as shown, white space around it ignored.
    package init(_ entered: String) throws(EndpointAddressError) {
        let text = entered.singleLine
        guard (1...256).contains(text.utf8.count), text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
            throw .malformedSecret
        }
        revealed = text
    }

    package var concealed: String { "SEC***" }
}

/// The signatures that robots check, made anew for every attempt.
package enum RobotSignature {
    /// The query parameters of DingTalk: HMAC-SHA256 with the secret as key over `milliseconds\nsecret`.
    ///
    /// Base64 holds `+`, `/` and `=`, which are percent-encoded exactly once.
    package static func dingTalkParameters(secret: RobotSecret, now: Moment) -> String {
        let content = "\(now.milliseconds)\n\(secret.revealed)"
        let code = HMAC<SHA256>.authenticationCode(
            for: Data(content.utf8), using: SymmetricKey(data: Data(secret.revealed.utf8)))
        var sign = ""
        for character in Data(code).base64EncodedString() {
            switch character {
            case "+": sign += "%2B"
            case "/": sign += "%2F"
            case "=": sign += "%3D"
            default: sign.append(character)
            }
        }
        return "timestamp=\(now.milliseconds)&sign=\(sign)"
    }

    /// The signature of Feishu: HMAC-SHA256 of nothing, with `seconds\nsecret` as key.
    ///
    /// Key and message are the other way round than in DingTalk's.
    package static func feishu(secret: RobotSecret, timestamp: Int64) -> String {
        let key = SymmetricKey(data: Data("\(timestamp)\n\(secret.revealed)".utf8))
        return Data(HMAC<SHA256>.authenticationCode(for: Data(), using: key)).base64EncodedString()
    }

    /// The frozen body of a message to Feishu with timestamp and signature as its first members.
    ///
    /// Everything after the opening brace stays as it was frozen. Together they take at most 90 bytes.
    package static func signedFeishuBody(_ body: [UInt8], secret: RobotSecret, now: Moment) -> [UInt8] {
        let sign = feishu(secret: secret, timestamp: now.seconds)
        return Array("{\"timestamp\":\"\(now.seconds)\",\"sign\":\"\(sign)\",".utf8) + body.dropFirst()
    }
}
