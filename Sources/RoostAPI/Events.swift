package import RoostSchema
import RoostSync

/// One server-sent event of `GET /v1/events` (WHATWG HTML, "Server-sent events").
package enum WireEvent: Hashable, Sendable {
    /// The stream begins: what happens from now on is told, so the replica synchronises once.
    case open(heartbeatSeconds: Int)
    /// These scopes of the device's have something new; nil if any may, and others may have come or gone.
    case moved([Scope]?)
    /// The stream ends by the server's will; the raw reason is one of ``Ending`` or a later server's.
    case end(String)
    /// A comment, which says that the line lives.
    case heartbeat
    /// An event of a later server.
    case unknown

    /// Why a server ends a stream.
    package enum Ending: String, Hashable, Sendable, CaseIterable {
        /// The device's token holds no more: the next exchange says why.
        case credentials
        /// The same device opened another stream: it need not come again while that one lives.
        case replaced
        /// The server stops: come again in a while.
        case stopping
    }

    /// As it is sent.
    package var bytes: [UInt8] {
        var writer = JSONWriter(reserving: 128)
        let name: String
        switch self {
        case .heartbeat: return Array(":\n\n".utf8)
        case .unknown: return []
        case .open(let seconds):
            name = "open"
            writer.object { writer in
                writer.name("heartbeat_seconds")
                writer.integer(Int64(seconds))
            }
        case .moved(let scopes):
            name = "moved"
            writer.object { writer in
                guard let scopes else { return }
                writer.name("scopes")
                writer.array { writer in for scope in scopes { writer.plain(scope.description) } }
            }
        case .end(let reason):
            name = "end"
            writer.object { writer in
                writer.name("reason")
                writer.string(reason)
            }
        }
        return Array("event: \(name)\ndata: ".utf8) + writer.bytes + Array("\n\n".utf8)
    }

    init(name: String, data: [UInt8]) {
        let body = try? Value(json: data)
        switch name {
        case "open": self = .open(heartbeatSeconds: Int(body?["heartbeat_seconds"]?.integer ?? 30))
        case "moved": self = .moved(body?["scopes"]?.list?.compactMap { $0.text.flatMap { Scope($0) } })
        case "end": self = .end(body?["reason"]?.text ?? "")
        default: self = .unknown
        }
    }
}

/// Puts events together from the pieces of a stream as they arrive, cut anywhere.
package struct EventReader: Sendable {
    /// Longer lines or events are no honest stream.
    private static let limit = 1 << 20

    private var line: [UInt8] = []
    private var name = ""
    private var data: [UInt8] = []
    /// Whether the last byte was a carriage return, after which a line feed belongs to the same end of line.
    private var followsReturn = false

    package init() {}

    /// The events that end within a piece; nil when the stream holds no events.
    package mutating func read(_ piece: [UInt8]) -> [WireEvent]? {
        var events: [WireEvent] = []
        for byte in piece {
            let isSecondHalf = followsReturn && byte == 0x0A
            followsReturn = byte == 0x0D
            if isSecondHalf { continue }
            guard byte == 0x0A || byte == 0x0D else {
                line.append(byte)
                guard line.count + data.count <= Self.limit else { return nil }
                continue
            }
            if let event = endLine() { events.append(event) }
        }
        return events
    }

    private mutating func endLine() -> WireEvent? {
        defer { line.removeAll(keepingCapacity: true) }
        guard let first = line.first else {
            defer { (name, data) = ("", []) }
            return data.isEmpty ? nil : WireEvent(name: name, data: data)
        }
        if first == UInt8(ascii: ":") { return .heartbeat }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        var value = line[colon...].dropFirst()
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "event": name = String(decoding: value, as: UTF8.self)
        case "data": data += (data.isEmpty ? [] : [0x0A]) + value
        default: break
        }
        return nil
    }
}
