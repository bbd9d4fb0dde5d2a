import Foundation
import Hummingbird
import RoostAPI
import RoostSchema
import RoostStore
import RoostSync

/// One-time codes, and the devices they bring in.
struct EnrolmentHandlers: Sendable {
    let accounts: AccountDesk
    let gatekeeper: Gatekeeper
    let attemptsPerMinute: Int
    let metrics: ServerMetrics

    /// `POST /v1/enrol`: trades a code for a token.
    ///
    /// Attempts are counted by address, and by code: neither many codes from one place nor one code from many places
    /// can be tried at will.
    func enrol(_ request: Request, _ context: RoostContext) async throws -> Response {
        let address = gatekeeper.address(of: request, context)
        try gatekeeper.limiter.admit("enrol:" + address, perMinute: attemptsPerMinute)
        let enrolment = try ValidEnrolment(json: try await request.bytes(upTo: 4096))
        guard let code = EnrolmentCode(enrolment.code) else {
            throw Refusal(.codeInvalid, "the code is unknown, used or expired")
        }
        try gatekeeper.limiter.admit("code:" + code.text, perMinute: attemptsPerMinute)
        let (answer, device) = try await accounts.enrol(
            code, replica: enrolment.replica, label: enrolment.label, expecting: enrolment.officer)
        context.trace.replica = device.replica.description
        metrics.enrolled()
        return Response(json: answer.json, status: .created)
    }

    /// `POST /v1/enrolment-codes`: makes a code for an officer; needs the right to manage accounts.
    func makeCode(_ request: Request, _ context: RoostContext) async throws -> Response {
        let sender = try context.sender
        try await accounts.require(.manageAccounts, of: sender.officer)
        let officer = try CodeRequest(json: try await request.bytes(upTo: 4096)).officer
        let (code, expiry) = try await accounts.makeCode(for: officer, madeBy: sender.officer)
        return Response(
            json: jsonObject { writer in
                writer.name("code")
                writer.plain(code.text)
                writer.name("expires_at")
                writer.integer(expiry.value)
            }, status: .created)
    }
}

/// A request to enrol whose parts are all of the right form.
struct ValidEnrolment: Sendable {
    let code: String
    let label: String
    let replica: ReplicaID
    /// Whose data the device holds already.
    let officer: RowID?

    init(json: [UInt8]) throws {
        var members: [String: String] = [:]
        var reader = JSONReader(json)
        try reader.object { reader, name throws(WireProblem) in
            switch name {
            case "code", "label", "replica", "officer": members[name] = try reader.string()
            default: _ = try reader.value()
            }
        }
        try reader.end()
        guard let code = members["code"], let label = members["label"], let replica = members["replica"] else {
            throw Refusal(.malformedRequest, "code, label and replica are needed")
        }
        let trimmed = label.trimmingCharacters(in: .whitespacesAndNewlines)
        guard (1...60).contains(trimmed.count), !trimmed.unicodeScalars.contains(where: { $0.value < 0x20 }) else {
            throw Refusal(.malformedRequest, "label is one line of 1 to 60 characters")
        }
        guard let replica = ReplicaID(replica), replica.bits != 0 else {
            throw Refusal(.malformedRequest, "replica is sixteen hexadecimal digits, not all zero")
        }
        officer = try members["officer"].map { text in
            guard let officer = RowID(text) else {
                throw Refusal(.malformedRequest, "officer is a row identity")
            }
            return officer
        }
        self.code = code
        self.label = trimmed
        self.replica = replica
    }
}

/// A request for a code: `{"officer":"<row>"}`.
struct CodeRequest: Sendable {
    let officer: RowID

    init(json: [UInt8]) throws {
        guard let officer = try Value(json: json)["officer"]?.text.flatMap({ RowID($0) }) else {
            throw Refusal(.malformedRequest, "officer is needed, as a row identity")
        }
        self.officer = officer
    }
}

extension EnrolmentAnswer {
    var json: [UInt8] {
        jsonObject { writer in
            writer.name("token")
            writer.plain(token)
            writer.name("officer")
            writer.plain(officer)
            writer.name("name")
            writer.string(name)
            writer.name("roles")
            writer.array { writer in for role in roles { writer.plain(role) } }
            writer.name("epoch")
            writer.plain(epoch)
        }
    }
}
