package import RoostSchema
package import RoostSync

/// The answer to `GET /v1/quarantine?before=`: edits set aside that the caller may see, newest first.
package struct QuarantineList: Hashable, Sendable {
    /// One edit, with the fields that the caller may see in full.
    package struct Entry: Hashable, Sendable {
        package var id: Int64
        /// Milliseconds since the Unix epoch.
        package var receivedAt: Int64
        /// The author's row.
        package var officer: RowID
        /// What the author calls the device.
        package var device: String
        package var collection: String
        package var row: RowID
        package var action: Mutation.Action
        package var fields: [Value.Member]
        /// `masked` or `authority_ended`.
        package var reason: String

        package init(
            id: Int64, receivedAt: Int64, officer: RowID, device: String, collection: String, row: RowID,
            action: Mutation.Action, fields: [Value.Member], reason: String
        ) {
            self.id = id
            self.receivedAt = receivedAt
            self.officer = officer
            self.device = device
            self.collection = collection
            self.row = row
            self.action = action
            self.fields = fields
            self.reason = reason
        }
    }

    package var entries: [Entry]
    /// Whether there are older ones: ask again with `before` set to the last entry's id.
    package var more: Bool

    package init(entries: [Entry], more: Bool) {
        self.entries = entries
        self.more = more
    }
}

extension QuarantineList {
    /// Reads an answer; nil if it is not of this form.
    package init?(json: [UInt8]) {
        guard let body = try? Value(json: json), case .list(let list) = body["quarantine"] else { return nil }
        entries = []
        for value in list {
            guard let entry = Entry(value) else { return nil }
            entries.append(entry)
        }
        more = body["more"] == .boolean(true)
    }

    package var value: Value {
        .object([.init("quarantine", .list(entries.map(\.value))), .init("more", .boolean(more))])
    }
}

extension QuarantineList.Entry {
    fileprivate init?(_ value: Value) {
        guard let id = value["id"]?.integer, let receivedAt = value["received_at"]?.integer,
            let officer = value["officer"]?.text.flatMap({ RowID($0) }), let device = value["device"]?.text,
            let collection = value["collection"]?.text, let row = value["row"]?.text.flatMap({ RowID($0) }),
            let action = value["action"]?.text.flatMap({ Mutation.Action(rawValue: $0) }),
            case .object(let fields) = value["fields"], let reason = value["reason"]?.text
        else { return nil }
        self.init(
            id: id, receivedAt: receivedAt, officer: officer, device: device, collection: collection, row: row,
            action: action, fields: fields, reason: reason)
    }

    package var value: Value {
        .object([
            .init("id", .integer(id)), .init("received_at", .integer(receivedAt)), .init("officer", .id(officer)),
            .init("device", .text(device)), .init("collection", .text(collection)), .init("row", .id(row)),
            .init("action", .text(action.rawValue)), .init("fields", .object(fields)),
            .init("reason", .text(reason)),
        ])
    }
}
