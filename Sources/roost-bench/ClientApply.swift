import Foundation
import RoostClient
import RoostModel
import RoostSchema
import RoostStore
import RoostSync

/// How fast a client keeps what it is sent: rows into its copies, its tables and its search.
enum ClientApply {
    /// Rows per second over answers as they came; decoding is part of it.
    static func rowsPerSecond(_ answers: [[UInt8]]) throws -> Double {
        let directory = NSTemporaryDirectory() + "roost-bench-client-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let replica = try replica(in: directory)
        var rows = 0
        let time = try ContinuousClock().measure {
            for bytes in answers {
                let answer = try ExchangeAnswer(json: bytes)
                rows += answer.scopes.reduce(0) { $0 + $1.rows.count }
                _ = try replica.apply(answer, now: now())
            }
        }
        try replica.close()
        return Double(rows) / time.seconds
    }

    /// Rows per second from a snapshot's file; checking its hash, inflating and decoding are part of it.
    static func rowsPerSecond(_ page: ScopePage, _ offer: SnapshotOffer, _ file: [UInt8]) throws -> Double {
        let directory = NSTemporaryDirectory() + "roost-bench-client-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let replica = try replica(in: directory)
        var download = try replica.begin(offer, for: page)
        try replica.append(file, to: &download)
        let fetched = download
        let time = try ContinuousClock().measure {
            guard replica.isWhole(fetched) else { throw ReplicaError.damaged("snapshot") }
            _ = try replica.apply(fetched, now: now())
        }
        try replica.close()
        return Double(offer.rows) / time.seconds
    }

    private static func replica(in directory: String) throws -> Replica {
        try Replica.create(
            directory: directory, catalogue: .bench,
            names: NameKeys.programme,
            enrolled: Enrolled(
                server: "http://127.0.0.1", token: "bench", replica: ReplicaID(1), officer: RowID(bits: 1),
                name: "Bench", roles: [], label: "bench"))
    }
}
