import RoostSchema
import RoostSync

/// What an exchange may cost at most, in bytes of JSON before compression.
///
/// An idle exchange of a coordinator, who holds three scopes, is so at most 910 bytes both ways, and one that brings an edit
/// of one field, or fetches one row of five short fields, at most 2,160. Values come on top as they are: what people type is
/// not the protocol's to bound.
enum Weight {
    private static let request = 350
    private static let answer = 210
    /// A scope held, in a request.
    private static let cursor = 110
    private static let boot = 100
    private static let mutation = 330
    /// A field's name and punctuation; a stamp of its own.
    private static let field = 30
    private static let stamp = 60
    private static let verdict = 130
    /// A scope with news, in an answer.
    private static let page = 170
    private static let snapshot = 240
    private static let row = 280
    /// A row or a scope that went, or a name of an edit.
    private static let departure = 100
    private static let purge = 160
    /// That a purge is owed.
    private static let owed = 14

    static func most(of request: ExchangeRequest) -> Int {
        var most = Self.request + cursor * request.scopes.count + boot * request.boots.count
        most += request.mutations.reduce(0) { $0 + weight(of: $1) }
        most += request.surrendered.reduce(0) { $0 + departure + weight(of: $1.mutation) }
        most += request.owed ? owed : 0
        return most + (request.purged == nil ? 0 : purge + cursor * request.scopes.count)
    }

    static func most(of answer: ExchangeAnswer) -> Int {
        var most = Self.answer + departure * (answer.lost.count + answer.surrendered.count)
        most += answer.owed ? owed : 0
        most += answer.verdicts.reduce(0) { $0 + verdict + field * $1.lost.count }
        for page in answer.scopes {
            most += Self.page + (page.snapshot == nil ? 0 : snapshot) + departure * page.left.count
            most += page.rows.reduce(0) {
                $0 + row + weight(of: $1.fields) + stamp * $1.stamps.count + field * $1.masked.count
            }
        }
        return most
    }

    private static func weight(of mutation: Mutation) -> Int { Self.mutation + weight(of: mutation.changes) }

    private static func weight(of changes: [Mutation.Change]) -> Int {
        changes.reduce(0) { $0 + field + $1.value.json.count }
    }
}

extension World {
    /// Holds what went over the line against what it may cost at most.
    func weigh(_ request: ExchangeRequest, _ sent: Int, _ answer: ExchangeAnswer, _ received: Int) {
        let (most, mostBack) = (Weight.most(of: request), Weight.most(of: answer))
        if sent > most { fail(.weight, "a request of \(sent) bytes, not \(most): \(text(request.json))") }
        if received > mostBack { fail(.weight, "an answer of \(received) bytes, not \(mostBack): \(answer)") }
        guard request.mutations.isEmpty, answer.verdicts.isEmpty, answer.lost.isEmpty else { return }
        let rows = answer.scopes.reduce(0) { $0 + $1.rows.count }
        if answer.scopes.isEmpty { note("idle exchange") } else if rows == 1 { note("exchange of one row") }
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes.prefix(2000), as: UTF8.self) }
}
