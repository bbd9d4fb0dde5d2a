import Foundation
import RoostSchema
import RoostStore
import RoostSync

/// Ways in which a test breaks the product on purpose, from outside: by changing an answer on its way, or the server's
/// tables behind its back.
enum Sabotage: String, Hashable, Sendable, CaseIterable {
    case none
    /// A device is not told that it lost a scope.
    case keepLostScope
    /// A device is not told that a row left a scope.
    case keepLeftRow
    /// A grant that ended goes on in the server's tables.
    case keepGrant
    /// A value that gave way is put back into its row.
    case acceptStale
    /// The server forgets which mutations it has decided.
    case forgetNumbers
    /// A verdict is told otherwise the second time.
    case changeVerdicts
    /// A hidden field is shown.
    case leakField
    /// A value that gave way is not kept.
    case loseHistory
    /// What is set aside for a person is not kept.
    case loseQuarantine
    /// An answer to one device goes to another, as a cache with too coarse a key would have it.
    case mixUpAnswers
    /// A server that was put back from a copy goes on as if nothing had happened.
    case forgetEpoch
    /// A device stops showing an edit as soon as it is answered, before its row has come.
    case forgetOwnEdits
    /// A device is shown a row as it was some changes ago.
    case showOlder

    /// The check that must notice, where no other can; nil where any may.
    var check: Check? { [.forgetOwnEdits, .showOlder].contains(self) ? .session : nil }
}

extension World {
    /// Changes an answer between server and device.
    func sabotage(_ answer: ExchangeAnswer, to index: Int) -> ExchangeAnswer {
        var answer = answer
        if sabotage == .forgetOwnEdits {
            // Of what was set aside a device shows nothing.
            answer.verdicts = answer.verdicts.map {
                $0.outcome == .applied ? Verdict(number: $0.number, outcome: .quarantined, stamp: $0.stamp) : $0
            }
        }
        if sabotage == .showOlder {
            for page in answer.scopes.indices {
                answer.scopes[page].rows = answer.scopes[page].rows.map { older($0, index) }
            }
        }
        if sabotage == .keepLostScope { answer.lost = [] }
        if sabotage == .keepLeftRow { for page in answer.scopes.indices { answer.scopes[page].left = [] } }
        return answer
    }

    /// From the third time on the row as it was the first time.
    private func older(_ row: WireRow, _ index: Int) -> WireRow {
        let name = "\(index) \(row.collection) \(row.row)"
        givenRows[name, default: []].append(row)
        guard let given = givenRows[name], given.count > 2 else { return row }
        var older = given[0]
        older.sequence = row.sequence
        return older
    }

    /// Changes an answer as it leaves the server, before anybody has judged it.
    func sabotage(leaving bytes: [UInt8], to request: ExchangeRequest, for index: Int) -> [UInt8] {
        defer { lastBody[index] = bytes }
        switch sabotage {
        case .mixUpAnswers where request.mutations.isEmpty:
            let officer = devices[index].seat.officer
            let other = devices.indices.first { devices[$0].seat.officer != officer && lastBody[$0] != nil }
            return other.flatMap { lastBody[$0] } ?? bytes
        case .leakField:
            // The first field of a student in a chapter's page gets a companion that the page must not show.
            let text = String(decoding: bytes, as: UTF8.self)
            guard let page = text.range(of: "\"scope\":\"chapter:"),
                let row = text.range(of: "\"collection\":\"student\"", range: page.upperBound..<text.endIndex),
                let fields = text.range(of: "\"fields\":{", range: row.upperBound..<text.endIndex),
                let note = model.rows.values.compactMap({ $0.value("note").text }).max()
            else { return bytes }
            return Array(text.replacingCharacters(in: fields, with: "\"fields\":{\"note\":\"\(note)\",").utf8)
        default: return bytes
        }
    }

    /// Changes the server's tables before it reads a request.
    func sabotageServer(before request: inout ExchangeRequest) {
        let sql: String
        switch sabotage {
        case .keepGrant: sql = "UPDATE authority SET until_ms = NULL, until_sequence = NULL WHERE kind = 'grant'"
        case .forgetNumbers where !request.mutations.isEmpty:
            sql = "UPDATE replica SET last_number = 0; DELETE FROM verdict"
        case .changeVerdicts:
            sql = """
                UPDATE verdict SET body = CAST(replace(CAST(body AS TEXT), '"applied"', '"merged"') AS BLOB)
                """
        case .forgetEpoch:
            // Nothing that would tell a history that went back is looked at.
            request.answered = nil
            request.run = nil
            let head = ServerSequence((try? head()) ?? 0)
            request.scopes = request.scopes.map {
                ScopeCursor(scope: $0.scope, epoch: $0.epoch, cursor: min($0.cursor, head))
            }
            return
        default: return
        }
        try? sideways(serverDirectory + "/" + ServerStore.fileName, sql)
    }

    /// Changes them after it has answered.
    func sabotageServerAfterwards() {
        let sql: String
        switch sabotage {
        case .acceptStale:
            sql = """
                UPDATE student SET name = (
                    SELECT loss.value ->> '$[1]' FROM history, json_each(losses) AS loss
                    WHERE history.row = student.id AND loss.value ->> '$[0]' = 'name' AND loss.value ->> '$[1]' <> ''
                    ORDER BY history.id DESC LIMIT 1)
                WHERE id IN (
                    SELECT row FROM history, json_each(losses) AS loss
                    WHERE loss.value ->> '$[0]' = 'name' AND loss.value ->> '$[1]' <> '')
                """
        case .loseHistory: sql = "DELETE FROM history"
        case .loseQuarantine: sql = "DELETE FROM quarantine"
        default: return
        }
        try? sideways(serverDirectory + "/" + ServerStore.fileName, sql)
    }
}
