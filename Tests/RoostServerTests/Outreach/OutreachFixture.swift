import Foundation
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Synchronization

@testable import RoostServer

/// A time that tests move by hand.
final class ManualTime: Sendable {
    private let milliseconds: Mutex<Int64>

    /// 2025-09-12 09:00 in China, when the test sheets are written for.
    init(_ start: Int64 = 1_757_638_800_000) { milliseconds = Mutex(start) }

    var now: Milliseconds { Milliseconds(milliseconds.withLock { $0 }) }

    func advance(by amount: Int64) { milliseconds.withLock { $0 += amount } }
}

/// A server's data directory with officers, schools and chapters, removed with the last reference to it.
final class OutreachFixture: Sendable {
    let directory: String
    let time = ManualTime()
    let store: ServerStore
    let key: ServerKey

    static let registrar = RowID(bits: 0xA1)
    static let collector = RowID(bits: 0xA2)
    static let author = RowID(bits: 0xA3)
    static let approver = RowID(bits: 0xA4)
    static let administrator = RowID(bits: 0xA5)
    static let coordinator = RowID(bits: 0xA6)

    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    init(catalogue: Catalogue = .programme) async throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "roost-\(UUID().uuidString)").path()
        let time = time
        store = try ServerStore(directory: directory, catalogue: catalogue, clock: { time.now })
        try ServerKey.create(in: directory)
        key = try ServerKey(directory: directory)
        try await addOfficers()
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    private func addOfficers() async throws {
        let officers: [(RowID, String, Value)] = [
            (Self.registrar, "谭登记", "registrar"), (Self.collector, "李采集", "collector"),
            (Self.author, "冯联络", "liaison"), (Self.approver, "吕审批", "approver"),
            (Self.administrator, "温管理", "admin"),
        ]
        try await write(
            officers.flatMap { id, name, role in
                [
                    TrustedEdit("officer", id, .create, ["name": .text(name)]),
                    TrustedEdit(
                        "authority_grant", RowID(bits: id.bits + 0x100), .create, ["officer": .id(id), "role": role]),
                ]
            })
        time.advance(by: 1000)
    }

    @discardableResult
    func write(_ edits: [TrustedEdit]) async throws -> WriteReceipt {
        try await store.write(edits, by: Self.administrator)
    }

    /// The schools of the shipped lists, as a server has them from its first start.
    func addSchools() async throws {
        var edits: [RowID: TrustedEdit] = [:]
        for cells in try Self.records("Config/schools.csv") {
            let id = Programme.schoolRow(code: cells[0], name: cells[1])
            var fields: [FieldName: Value] = ["name": .text(cells[1])]
            if !cells[0].isEmpty { fields["code"] = .text(cells[0]) }
            edits[id] = TrustedEdit("school", id, .create, fields)
        }
        for cells in try Self.records("Config/senior-schools.csv") {
            let id = Programme.schoolRow(code: "", name: cells[0])
            edits[id] = TrustedEdit("school", id, .create, ["name": .text(cells[0]), "kind": "senior"])
        }
        try await write(edits.values.sorted { $0.row < $1.row })
    }

    static func bytes(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: folder.appending(path: path)))
    }

    static func roster(_ name: String) throws -> [UInt8] { try bytes("Tests/RoostSheetsTests/Rosters/\(name)") }

    /// The records of a list without quoted cells.
    private static func records(_ path: String) throws -> [[String]] {
        String(decoding: try bytes(path), as: UTF8.self).split(whereSeparator: \.isNewline).dropFirst().map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
    }

    func count(_ collection: CollectionName) async throws -> Int { try await store.count(of: collection) }
}
