import Foundation
import GRDB
import RoostSchema
import RoostStore
import RoostSync

/// After a recovery the model goes on from what the server's tables say, read here without the product's help.
extension World {
    private struct Held: Sendable {
        var rows: [(place: Place, id: String, record: Record)] = []
        var tenures: [ReferenceModel.Tenure] = []
        var previous: [UInt64: UInt64] = [:]
        var decided: Set<String> = []
        var refusedCreations: Set<String> = []
        var gone: [(kind: String, id: String)] = []
    }

    /// How far each replica has come: its incarnation and the last number decided in it.
    func progress() async throws -> [UInt64: (incarnation: Int64, number: Int64)] {
        try await read(serverFile) { db in
            try GRDB.Row.fetchAll(db, sql: "SELECT id, incarnation, last_number FROM replica").reduce(into: [:]) {
                $0[UInt64(bitPattern: $1[0] as Int64)] = ($1[1], $1[2])
            }
        }
    }

    func adopt() async throws {
        let held = try tables()
        model = known(by: held)
        model.previous = held.previous
        model.refusedCreations = held.refusedCreations
        model.decided = model.decided.filter { held.decided.contains($0.key) }
        model.verdicts = told.filter { held.decided.contains($0.key) }
        for (replica, (incarnation, number)) in try await progress() {
            model.incarnations[replica] = incarnation
            model.lastNumber[replica] = number
        }
        epoch = store.epoch
    }

    /// The model of what the server has in the middle of a recovery.
    ///
    /// It says who may see what by the rows and grants that the server has now. Whether those are right nobody can say
    /// here: a role that ended after the backup goes on until whoever ended it has given that back.
    func modelOfTables() throws -> ReferenceModel { known(by: try tables()) }

    private func tables() throws -> Held {
        let catalogue = SmallCounty.catalogue(version: model.version)
        let queue = try DatabaseQueue(path: serverFile)
        defer { try? queue.close() }
        return try queue.read { db in
            var held = Held()
            for collection in catalogue.collections {
                let sql = "SELECT * FROM \"\(collection.name)\""
                for row in try GRDB.Row.fetchAll(db, sql: sql) {
                    let place = Place(kind: collection.name.text, id: Self.identity(row["id"]))
                    held.rows.append((place, place.id, Self.record(row, collection)))
                }
            }
            for row in try GRDB.Row.fetchAll(db, sql: "SELECT * FROM authority") {
                held.tenures.append(Self.tenure(row))
            }
            for row in try GRDB.Row.fetchAll(db, sql: "SELECT id, last_effective FROM replica") {
                if let time = row[1] as Int64? { held.previous[UInt64(bitPattern: row[0])] = UInt64(bitPattern: time) }
            }
            for row in try GRDB.Row.fetchAll(db, sql: "SELECT replica, incarnation, number FROM verdict") {
                held.decided.insert(ReferenceModel.key(UInt64(bitPattern: row[0]), row[1], row[2]))
            }
            let named = "JOIN collection ON collection.id = collection"
            for row in try GRDB.Row.fetchAll(
                db, sql: "SELECT replica, name, row FROM refused_creation \(named)")
            {
                held.refusedCreations.insert(
                    "\(UInt64(bitPattern: row[0])) \(row[1] as String) \(Self.identity(row[2]))")
            }
            for row in try GRDB.Row.fetchAll(db, sql: "SELECT name, row FROM collected \(named)") {
                held.gone.append((row[0], Self.identity(row[1])))
            }
            return held
        }
    }

    /// The model with the rows and tenures of some tables in place of its own.
    private func known(by held: Held) -> ReferenceModel {
        var model = model
        model.rows = [:]
        model.about = [:]
        model.accepted = []
        for (place, id, record) in held.rows where place.kind == "conflict" {
            conflicts[id] = Self.conflict(record, named: place)
        }
        for (named, id, stored) in held.rows {
            let place = conflicts[id] ?? named
            var record = stored
            if record.value("concerned_collection") == .text("conflict"),
                let about = record.id("concerned_row").flatMap({ conflicts[$0] })
            {
                record.cells["concerned_row"]?.value = .text(about.id)
            }
            model.rows[place] = record
            if Rulebook.hasSubject(place.kind), let student = record.id("student") {
                model.about[student, default: []].insert(place)
            }
            for (field, cell) in record.cells {
                model.accepted.append(.init(place: place, field: field, value: cell.value, stamp: cell.stamp))
            }
        }
        model.gone = Set(held.gone.map { conflicts[$0.id] ?? Place(kind: $0.kind, id: $0.id) })
        model.tenures = held.tenures
        return model
    }

    private static func conflict(_ record: Record, named place: Place) -> Place {
        guard let kind = record.id("concerned_collection"), let id = record.id("concerned_row"),
            let field = record.id("concerned_field"), let stamp = record.id("losing_stamp").flatMap({ Stamp($0) })
        else { return place }
        return ReferenceModel.conflict(Place(kind: kind, id: id), field, Dated(stamp))
    }

    static func identity(_ bytes: Data) -> String {
        let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        var parts: [Substring] = []
        var rest = digits[...]
        for count in [8, 4, 4, 4, 12] {
            parts.append(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        return parts.joined(separator: "-")
    }

    static func dated(_ bytes: some Swift.Collection<UInt8>) -> Dated {
        func number(_ bytes: some Swift.Collection<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        return Dated(time: number(bytes.prefix(8)), by: number(bytes.dropFirst(8).prefix(8)))
    }

    private static func record(_ row: GRDB.Row, _ collection: RoostSchema.Collection) -> Record {
        let stamp = dated(row["stamp"] as Data)
        var stamps: [String: Dated] = [:]
        var rest = Array(row["overrides"] as Data? ?? Data())[...]
        while let count = rest.popFirst() {
            let name = String(decoding: rest.prefix(Int(count)), as: UTF8.self)
            rest = rest.dropFirst(Int(count))
            stamps[name] = dated(rest)
            rest = rest.dropFirst(16)
        }
        var record = Record(
            cells: [:], isDeleted: row["deleted"] as Int == 1,
            deletion: (row["deletion"] as Data?).map { dated($0) } ?? stamp)
        for field in collection.fields where !isLabel(field.name.text) {
            let name = field.name.text
            let column = row[name] as DatabaseValue
            // A field that came later than the row and was never set.
            if name == "motto", column.isNull, stamps[name] == nil { continue }
            record.cells[name] = Record.Cell(value: plain(column, field.kind), stamp: stamps[name] ?? stamp)
        }
        if let unknown = row["unknown_fields"] as String?,
            case .object(let members)? = try? Value(json: Array(unknown.utf8))
        {
            for member in members {
                record.cells[member.name] = Record.Cell(
                    value: Plain(member.value), stamp: stamps[member.name] ?? stamp)
            }
        }
        return record
    }

    private static func plain(_ column: DatabaseValue, _ kind: FieldKind) -> Plain {
        if column.isNull { return .nothing }
        switch kind {
        case .boolean: return .flag(Int.fromDatabaseValue(column) == 1)
        case .integer, .instant: return .number(Int64.fromDatabaseValue(column) ?? 0)
        case .reference: return .text(identity(Data.fromDatabaseValue(column) ?? Data()))
        case .structure, .tags:
            let text = String.fromDatabaseValue(column) ?? ""
            return (try? Value(json: Array(text.utf8))).map { Plain($0) } ?? .nothing
        default: return .text(String.fromDatabaseValue(column) ?? "")
        }
    }

    private static func tenure(_ row: GRDB.Row) -> ReferenceModel.Tenure {
        let kind = row["kind"] as String
        let about = identity(row["subject"])
        let target = (row["target"] as Data?).map { identity($0) }
        let isGrant = kind == "grant"
        let place = isGrant ? "appointment" : kind == "chapter" ? "membership" : "liaison"
        return ReferenceModel.Tenure(
            place: Place(kind: place, id: identity(row["row"])), scope: isGrant ? "" : "\(kind):\(target ?? "")",
            about: about, role: isGrant ? row["role"] : nil, target: isGrant ? target : nil, from: row["from_ms"],
            until: row["until_ms"])
    }
}
