import Curl
import Foundation
import RoostCourier
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Testing

@testable import RoostServer

@Suite struct DataDirectoryTests {
    private func directory(_ path: String, _ clock: ManualClock) -> DataDirectory {
        DataDirectory(path: path) { clock.now }
    }

    @Test func `a new directory holds the shipped schools, a key for its owner only, and passes the doctor`()
        async throws
    {
        try await withTemporaryDirectory { path in
            let clock = ManualClock()
            let directory = directory(path, clock)
            let (store, _) = try await directory.initialise()
            #expect(try await store.count(of: "school") == 2653 + 10)
            let mainland = try await store.rows(of: "school", where: .field("name", is: "华南理工大学"))
            #expect(mainland.map(\.key.id) == [Programme.schoolRow(code: "4144010561", name: "")])
            #expect(try await store.count(of: "school", where: .field("region", is: "HK")) > 5)
            #expect(try await store.count(of: "school", where: .field("kind", is: "senior")) == 9)
            let mode = try FileManager.default.attributesOfItem(atPath: ServerKey.path(in: path))[.posixPermissions]
            #expect((mode as? NSNumber)?.intValue == 0o600)
            try store.close()
            #expect(Doctor(directory).findings().allSatisfy { $0.level != .bad })
            // Again: nothing is made twice.
            let (again, _) = try await directory.initialise()
            #expect(try await again.count(of: "school") == 2653 + 10)
            try again.close()
        }
    }

    @Test func `the doctor names a missing key, a readable key, a foreign epoch and a clock set back`() async throws {
        try await withTemporaryDirectory { path in
            let clock = ManualClock()
            let directory = directory(path, clock)
            #expect(Doctor(directory).findings().map(\.check) == ["database"])
            try ServerKey.create(in: path)
            let (store, key) = try directory.open()
            let desk = AccountDesk(store: store, key: key, codeMinutes: 10)
            _ = try await desk.addOfficer(name: "甲", unit: nil, role: "admin", target: nil)
            try store.close()
            func bad() -> Set<String> { Set(Doctor(directory).findings().filter { $0.level == .bad }.map(\.check)) }
            #expect(bad().isEmpty)
            clock.advance(seconds: -3600)
            #expect(bad() == ["clock"])
            let (behind, _) = try directory.open()
            #expect(try DataDirectory.isClockBehind(behind))
            clock.advance(seconds: 3600)
            #expect(try !DataDirectory.isClockBehind(behind))
            try behind.close()
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: ServerKey.path(in: path))
            #expect(bad() == ["key"])
            try FileManager.default.removeItem(atPath: ServerKey.path(in: path))
            try Data("0123\n".utf8).write(to: URL(fileURLWithPath: path + "/" + EpochFile.name))
            #expect(bad() == ["key"])
            let findings = Doctor(directory).findings().filter { $0.level != .good }
            #expect(findings.map(\.check) == ["key", "epoch"])
            #expect(findings.allSatisfy { $0.advice != nil })
        }
    }

    @Test func `a backup taken from a running store comes back under a new epoch`() async throws {
        try await withTemporaryDirectory { path in
            let clock = ManualClock()
            let directory = directory(path + "/data", clock)
            try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
            try ServerKey.create(in: directory.path)
            let (store, key) = try directory.open()
            let desk = AccountDesk(store: store, key: key, codeMinutes: 10)
            let kept = try await desk.addOfficer(name: "甲", unit: nil, role: "admin", target: nil)
            let backup = try directory.backUp(to: path)
            #expect(
                try #require(FileManager.default.attributesOfItem(atPath: backup)[.posixPermissions] as? NSNumber)
                    == 0o600)
            let lost = try await desk.addOfficer(name: "乙", unit: nil, role: "admin", target: nil)
            try store.close()
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: backup)
            let restoration = try ServerStore.restore(backup, to: directory.path)
            let database = directory.path + "/" + ServerStore.fileName
            #expect(
                try #require(FileManager.default.attributesOfItem(atPath: database)[.posixPermissions] as? NSNumber)
                    == 0o600)
            #expect(try FileBytes(try #require(restoration.replaced)).contains("乙"))
            let (restored, _) = try directory.open()
            #expect(restored.epoch != store.epoch && restored.epochBeside == restored.epoch)
            #expect(try await restored.rows("officer", ids: [kept, lost]).map(\.key.id) == [kept])
            try restored.close()
        }
    }

    @Test func `a device revoked since the backup stays revoked, and a code used since is not good again`() async throws
    {
        try await withTemporaryDirectory { path in
            let directory = directory(path + "/data", ManualClock())
            let (store, key) = try await directory.initialise()
            let desk = AccountDesk(store: store, key: key, codeMinutes: 10)
            let officer = try await desk.addOfficer(name: "甲", unit: nil, role: "admin", target: nil)
            func hash(_ byte: UInt8) -> [UInt8] { Array(repeating: byte, count: 32) }
            try await store.keepCode(hash: hash(1), for: officer, until: Milliseconds(.max), madeBy: nil)
            try await store.keepCode(hash: hash(2), for: officer, until: Milliseconds(.max), madeBy: nil)
            let stolen = try await store.redeemCode(
                hash: hash(1), replica: ReplicaID(0xA1), label: "失窃", tokenHash: hash(3))
            let backup = try directory.backUp(to: path)
            try await store.revoke(stolen.replica)
            _ = try await store.redeemCode(hash: hash(2), replica: ReplicaID(0xA2), label: "新", tokenHash: hash(4))
            try store.close()
            #expect(try ServerStore.restore(backup, to: directory.path).keptRevocations)
            let (restored, _) = try directory.open()
            #expect(try restored.device(tokenHash: hash(3))?.isRevoked == true)
            await #expect(throws: AccountError.codeInvalid) {
                try await restored.redeemCode(
                    hash: hash(2), replica: ReplicaID(0xA3), label: "再", tokenHash: hash(5))
            }
            try restored.close()
            // With nothing to learn it from, the restoration says so.
            #expect(try !ServerStore.restore(backup, to: path + "/elsewhere").keptRevocations)
        }
    }

    @Test func `what is no backup leaves the database as it was`() async throws {
        try await withTemporaryDirectory { path in
            let directory = directory(path, ManualClock())
            try ServerKey.create(in: path)
            let (store, _) = try directory.open()
            try store.close()
            let junk = path + "/junk.sqlite"
            try Data("this is no database, however long it may be".utf8).write(to: URL(fileURLWithPath: junk))
            #expect(throws: StoreError.self) { try ServerStore.restore(junk, to: path) }
            let (again, _) = try directory.open()
            #expect(again.epoch == store.epoch)
            try again.close()
        }
    }

    @Test func `a locked directory is locked until it is released`() async throws {
        try await withTemporaryDirectory { path in
            let lock = try ServerLock(directory: path)
            #expect(throws: ServerLock.Taken.self) { try ServerLock(directory: path) }
            lock.release()
            let again = try ServerLock(directory: path)
            again.release()
        }
    }

    @Test func `a database that was closed is one file, and one that others use is left alone`() async throws {
        try await withTemporaryDirectory { path in
            try ServerKey.create(in: path)
            func files() throws -> [String] {
                try FileManager.default.contentsOfDirectory(atPath: path).filter {
                    $0.hasPrefix(ServerStore.fileName)
                }.sorted()
            }
            let (store, _) = try directory(path, ManualClock()).open()
            let (other, _) = try directory(path, ManualClock()).open(isServing: false)
            _ = try await store.write(
                [TrustedEdit("student", RowID(bits: 1), .create, ["name": "谭某某"])], by: DataDirectory.server)
            try store.close()
            #expect(try files().count == 3)
            #expect(try await other.count(of: "student") == 1)
            try other.close()
            #expect(try files() == [ServerStore.fileName])
        }
    }

    @Test func `a key is never replaced`() async throws {
        try await withTemporaryDirectory { path in
            try ServerKey.create(in: path)
            #expect(throws: KeyFileError.exists(path: ServerKey.path(in: path))) { try ServerKey.create(in: path) }
            #expect(throws: KeyFileError.self) { try ServerKey(directory: path + "/elsewhere") }
        }
    }

    @Test func `another key than the database's is refused before anything is sent with it`() async throws {
        try await withTemporaryDirectory { path in
            try ServerKey.create(in: path)
            let own = try Data(contentsOf: URL(fileURLWithPath: ServerKey.path(in: path)))
            let directory = directory(path, ManualClock())
            let (store, key) = try directory.open()
            let id = RowID(bits: 7)
            let vault = EndpointVault(key: key, settings: .production())
            try await store.add(
                EndpointRecord(
                    id: id, name: "机器人", channel: "wecom",
                    sealedAddress: try vault.sealedAddress("0123456789abcdef0123", of: id), state: .active))
            try store.close()
            let other = Data(repeating: 9, count: 32)
            try other.write(to: URL(fileURLWithPath: ServerKey.path(in: path)))
            #expect(throws: KeyFileError.foreign(path: ServerKey.path(in: path))) { try directory.open() }
            // Also by commands beside a server, and by one that brings its key in its settings.
            #expect(throws: KeyFileError.self) { try directory.open(isServing: false) }
            let text = own.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
            let given = DataDirectory(path: path, key: text)
            let again = try given.open().store
            #expect(try await again.endpoint(id).state == .active)
            try again.close()
            #expect(throws: KeyFileError.unreadableSetting) { try DataDirectory(path: path, key: text + "0").open() }
            #expect(throws: KeyFileError.unreadableSetting) { try DataDirectory(path: path, key: "钥匙").open() }
            // Lost for good, another takes its place; what it cannot open waits for a person.
            #expect(try directory.adoptKey() == 1)
            let adopted = try directory.open().store
            #expect(try await adopted.endpoint(id).state == .untested)
            try adopted.close()
            #expect(throws: KeyFileError.self) { try given.open() }
        }
    }

    @Test func `a database from before keys were marked is judged by what it holds`() async throws {
        try await withTemporaryDirectory { path in
            try ServerKey.create(in: path)
            let key = try ServerKey(directory: path)
            let catalogue = Catalogue.programme.withConflicts(about: Programme.subject)
            let store = try ServerStore(directory: path, catalogue: catalogue, clock: { Milliseconds(0) })
            let id = RowID(bits: 7)
            try await store.add(
                EndpointRecord(
                    id: id, name: "机器人", channel: "wecom",
                    sealedAddress: try EndpointVault(key: key, settings: .production()).sealedAddress("x", of: id)))
            try store.close()
            let other = DataDirectory(path: path, key: String(repeating: "0f", count: 32))
            #expect(throws: KeyFileError.self) { try other.open() }
            try directory(path, ManualClock()).open().store.close()
            #expect(throws: KeyFileError.self) { try other.open() }
        }
    }

    @Test func `a server whose key is in its settings makes no key file`() async throws {
        try await withTemporaryDirectory { path in
            let directory = DataDirectory(path: path, key: String(repeating: "0f", count: 32))
            try await directory.initialise().store.close()
            #expect(!FileManager.default.fileExists(atPath: ServerKey.path(in: path)))
            #expect(Doctor(directory).findings().first { $0.check == "key" }?.level == .good)
        }
    }

    @Test func `a key that was being written when the power failed is drawn anew`() async throws {
        try await withTemporaryDirectory { path in
            try Data("half".utf8).write(to: URL(fileURLWithPath: ServerKey.path(in: path) + ".new"))
            try ServerKey.create(in: path)
            _ = try ServerKey(directory: path)
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == [ServerKey.fileName])
        }
    }

    @Test func `coming of age is written when its day comes and not before`() async throws {
        try await withTemporaryDirectory { path in
            let clock = ManualClock()
            try ServerKey.create(in: path)
            let (store, _) = try directory(path, clock).open()
            let (student, toddler) = (RowID(bits: 1), RowID(bits: 2))
            _ = try await store.write(
                [
                    // Eighteen on the day after the clock's first.
                    TrustedEdit(
                        "student", student, .create, ["name": "谭某某", "birth": "2008-09-02", "wechat": "zz00_a"]),
                    TrustedEdit("student", toddler, .create, ["name": "区某某", "birth": "2020", "wechat": "zz00_b"]),
                ], by: DataDirectory.server)
            let dueDates = DueDates(store: store)
            let minor = try #require(store.rules.catalogue["student"]?.position(of: "minor" as FieldName))
            func isMinor(_ row: RowID) async throws -> Value? {
                try await store.rows("student", ids: [row]).first?.values[minor]
            }
            #expect(try await isMinor(student) == true)
            #expect(try await dueDates.refresh() == 0)
            clock.advance(seconds: 2 * 86_400)
            #expect(try await isMinor(student) == true)
            #expect(try await dueDates.refresh() == 1)
            #expect(try await isMinor(student) == false)
            #expect(try await isMinor(toddler) == true)
            #expect(try await dueDates.refresh() == 0)
            try store.close()
        }
    }

    @Test func `a term and a consent end after their last day, unless something later was said`() async throws {
        try await withTemporaryDirectory { path in
            let clock = ManualClock()
            try ServerKey.create(in: path)
            let (store, _) = try directory(path, clock).open()
            let (mentor, term, endless) = (RowID(bits: 1), RowID(bits: 2), RowID(bits: 3))
            let (student, renewed) = (RowID(bits: 4), RowID(bits: 5))
            let signed = clock.now.value - 86_400_000
            func consent(_ number: UInt64, _ student: RowID, at: Int64, until: Value) -> TrustedEdit {
                TrustedEdit(
                    "consent", RowID(bits: 100 + UInt128(number)), .create,
                    [
                        "student": .id(student), "purpose": "mentor_share", "state": "granted", "at": .integer(at),
                        "expires_on": until,
                    ])
            }
            _ = try await store.write(
                [
                    TrustedEdit("officer", mentor, .create, ["name": "谭导师"]),
                    // The clock begins on 2026-09-01.
                    TrustedEdit(
                        "authority_grant", term, .create,
                        ["officer": .id(mentor), "role": "mentor", "valid_to": "2026-09-02", "state": "active"]),
                    TrustedEdit(
                        "authority_grant", endless, .create,
                        ["officer": .id(mentor), "role": "liaison", "state": "active"]),
                    TrustedEdit("student", student, .create, ["name": "谭某某", "wechat": "zz00_a"]),
                    TrustedEdit("student", renewed, .create, ["name": "区某某", "wechat": "zz00_b"]),
                    consent(1, student, at: signed, until: "2026-09-02"),
                    consent(2, renewed, at: signed, until: "2026-09-02"),
                    consent(3, renewed, at: signed + 1000, until: .null),
                ], by: DataDirectory.server)
            let dueDates = DueDates(store: store)
            func value(_ collection: CollectionName, _ row: RowID, _ field: FieldName) async throws -> Value? {
                let position = try #require(store.rules.catalogue[collection]?.position(of: field))
                return try await store.rows(collection, ids: [row]).first?.values[position]
            }
            func states() async throws -> [Value?] {
                [
                    try await value("authority_grant", term, "state"),
                    try await value("authority_grant", endless, "state"),
                    try await value("student", student, "consent_mentor_share"),
                    try await value("student", renewed, "consent_mentor_share"),
                ]
            }
            clock.advance(seconds: 86_400)
            #expect(try await dueDates.refresh() == 0)
            #expect(try await states() == ["active", "active", "granted", "granted"])
            clock.advance(seconds: 86_400)
            #expect(try await dueDates.refresh() == 2)
            #expect(try await states() == ["ended", "active", "expired", "granted"])
            #expect(try await dueDates.refresh() == 0)
            // Renewed after it ran out.
            _ = try await store.write(
                [consent(4, student, at: clock.now.value, until: "2027-12-31")], by: DataDirectory.server)
            #expect(try await states() == ["ended", "active", "granted", "granted"])
            #expect(try await dueDates.refresh() == 0)
            try store.close()
        }
    }

    @Test func `the next day begins five past midnight in UTC+8`() {
        // 2026-09-01 08:00 in UTC+8.
        #expect(DueDates.untilNextDay(ManualClock().now) == .seconds(16 * 3600 + 300))
    }

    @Test func `no code is made for an officer of a county that is no demo`() async throws {
        try await RunningServer.with { server in
            _ = try await server.application.accounts.addOfficer(name: "甲", unit: nil, role: "admin", target: nil)
            #expect(try await DataDirectory.addDemo(to: server.store) == nil)
            #expect(try await server.application.demoCodes().isEmpty)
        }
    }

    @Test func `the demo county is written once, whole, with a code for every role`() async throws {
        try await RunningServer.with { server in
            _ = try await server.store.write(SchoolList.edits(), by: DataDirectory.server)
            #expect(try await DataDirectory.addDemo(to: server.store) != nil)
            #expect(try await DataDirectory.addDemo(to: server.store) == nil)
            #expect(try await server.store.count(of: "student") > 1500)
            let codes = try await server.application.demoCodes()
            #expect(codes.map(\.role) == Catalogue.programme.roles.map(\.name))
            let registrar = try #require(codes.first { $0.role == "registrar" })
            let answer = try await server.enrol(registrar.code.text)
            #expect(answer.status == 201)
            let token = try #require(answer.json["token"]?.text)
            let exchange = try await server.idleExchange(token: token)
            #expect(exchange.json["scopes"]?.list?.contains { $0["scope"] == "county" } ?? false)
        }
    }
}
