import RoostAPI
import RoostClient
import RoostSchema
import RoostStore
import RoostSync

/// A device's line to the server of its world.
final class Line: ExchangeServer {
    private let world: World
    private let device: Int

    init(_ world: World, _ device: Int) {
        self.world = world
        self.device = device
    }

    func limits() async throws(ClientError) -> Limits { Limits(mutations: world.script.changesetLimit) }

    func exchange(_ request: ExchangeRequest) async throws(ClientError) -> ExchangeAnswer {
        try await world.exchange(request, from: device)
    }

    func snapshot(_ id: String, from position: Int, count: Int) async throws(ClientError) -> [UInt8] {
        try await world.snapshot(id, from: position, count: count, for: device)
    }
}

extension World {
    /// More exchanges than any one synchronisation can need.
    private static let patience = 300

    /// Synchronises a device and, if it got through, holds what it shows against the model.
    func synchronise(_ index: Int) async throws {
        exchanges = 0
        devices[index].session.answer = nil
        let device = devices[index]
        var (unrecovered, purged) = (0, 0)
        defer { devices[index].unrecovered += unrecovered }
        do {
            let report = try await Synchroniser(
                replica: device.replica, server: Line(self, index), environment: device.environment
            ).run {
                unrecovered = $0.recovery?.unrecovered ?? 0
                purged = $0.rowsPurged
                watch(index)
            }
            if !report.lost.isEmpty { note("scope lost") }
            if !report.gained.isEmpty { note("scope gained") }
            if report.rowsPurged > 0 { note("rows purged") }
            if report.hasBegunAnew { note("resnapshot") }
            if clock.now - device.lastSync >= 400 * 86_400_000 { note("400 days away") }
            if clock.now - device.lastSync >= 31 * 86_400_000 { note("31 days away") }
            if violation == nil, !isRecovering {
                try examine(index, purged: report.rowsPurged > 0 || !report.lost.isEmpty)
            }
            devices[index].lastSync = clock.now
        } catch let error as ClientError {
            switch error {
            case .unreachable, .badAnswer:
                say { "   \(error)" }
                if purged > 0 { try await expectListed(index) }
            case .replicaCopied: try await becomeOwn(index)
            default: fail(.client, "\(error)")
            }
        }
    }

    /// A device that cannot yet have said that what left it is gone is listed, though it applied what told it so.
    private func expectListed(_ index: Int) async throws {
        let device = devices[index]
        guard violation == nil, try cannotConfirm(index),
            let record = try? await store.devices().first(where: { $0.device == device.seat.device })
        else { return }
        note("owes a word")
        if record.unconfirmed.isEmpty {
            fail(.purge, "\(device.seat.device.label) has not confirmed what left it, and is not listed")
        }
    }

    func exchange(_ request: ExchangeRequest, from index: Int) async throws(ClientError) -> ExchangeAnswer {
        exchanges += 1
        guard exchanges < Self.patience, violation == nil else {
            let last = lastBody[index].map { String(decoding: $0.prefix(2000), as: UTF8.self) } ?? ""
            fail(
                .liveness,
                "\(exchanges) exchanges in one synchronisation; the last was answered by \(last), and now comes "
                    + String(decoding: request.json.prefix(2000), as: UTF8.self))
            throw .badAnswer
        }
        if let dying, exchanges > dying { throw .unreachable(reason: "the device died") }
        let body = request.json
        transferred += body.count
        remember(request, body, from: index)
        var bytes: [UInt8]
        switch luck?.below(18) {
        case 0, 1:
            note("request lost")
            throw .unreachable(reason: "lost")
        case 2, 3:
            _ = try await serve(body, for: index)
            note("answer lost")
            throw .unreachable(reason: "lost")
        case 4:
            _ = try await serve(body, for: index)
            bytes = try await serve(body, for: index)
            note("request duplicated")
        case 5:
            bytes = try await serve(body, for: index)
            bytes.removeLast(1 + (luck?.below(bytes.count - 1) ?? 0))
            note("answer truncated")
        case 6:
            bytes = try await serve(Array(body.dropLast(1 + (luck?.below(body.count - 1) ?? 0))), for: index)
        case 7, 8: bytes = try await serveDying(body, for: index)
        case 9:
            _ = try await serve(body, for: index)
            do { try restartServer() } catch { throw .unreachable(reason: "\(error)") }
            note("server died having decided")
            throw .unreachable(reason: "the server died")
        default:
            bytes = try await serve(body, for: index)
        }
        transferred += bytes.count
        do throws(WireProblem) {
            let said = try ExchangeAnswer(json: bytes)
            devices[index].session.answer = said
            weigh(request, body.count, said, bytes.count)
            let answer = sabotage(said, to: index)
            await makeSnapshots(for: answer)
            devices[index].answers.append(answer)
            if devices[index].answers.count > 6 { devices[index].answers.removeFirst() }
            return answer
        } catch {
            throw .badAnswer
        }
    }

    /// Keeps what was sent: a mutation is the same bytes each time.
    private func remember(_ request: ExchangeRequest, _ body: [UInt8], from index: Int) {
        for mutation in request.mutations {
            let name = EditName(
                replica: request.replica.bits, incarnation: request.incarnation, number: mutation.number)
            if let before = devices[index].edits[name], before != mutation {
                fail(.retry, "mutation \(name.key) changed between two attempts")
            }
            devices[index].edits[name] = mutation
        }
        guard !request.mutations.isEmpty else { return }
        devices[index].requests.append(body)
        if devices[index].requests.count > 6 { devices[index].requests.removeFirst() }
    }

    /// The server's side of an exchange, with the model at its side.
    func serve(_ body: [UInt8], for index: Int) async throws(ClientError) -> [UInt8] {
        let seat = devices[index].seat
        var request: ExchangeRequest
        do throws(WireProblem) {
            request = try ExchangeRequest(json: body)
        } catch {
            note("request truncated")
            throw .unreachable(reason: "malformed")
        }
        sabotageServer(before: &request)
        var answer: [UInt8]
        do {
            answer = try await store.exchange(
                request, device: seat.device, mutationLimit: 5000, pageBytes: script.pageBytes
            ).answer
        } catch let error as ExchangeError where error == .oldIncarnation || error == .verdictsForgotten {
            note("old copy refused")
            throw .refused(
                ClientError.ServerRefusal(
                    status: 409, code: .conflict, message: Label("旧", "old"), reason: ReplicaCopied.reason,
                    requestID: nil))
        } catch {
            say { "   the server threw \(error)" }
            throw .unreachable(reason: "internal")
        }
        sabotageServerAfterwards()
        answer = sabotage(leaving: answer, to: request, for: index)
        judge(answer, to: request, for: index)
        return answer
    }

    // MARK: What comes late

    /// A request of long ago reaches the server after newer ones; its answer reaches nobody.
    func deliverLate(_ index: Int, _ dice: inout Seeded) async throws {
        guard let body = devices[index].requests.randomElement(using: &dice) else { return }
        note("late request")
        for _ in 0..<1 + dice.below(3) { _ = try? await serve(body, for: index) }
    }

    /// An answer of long ago is applied after newer ones, by a second process on the same files.
    func applyLate(_ index: Int, _ dice: inout Seeded) throws {
        guard let answer = devices[index].answers.randomElement(using: &dice) else { return }
        note("late answer")
        _ = try devices[index].replica.apply(answer, now: devices[index].clock.now)
        watch(index, late: answer)
    }
}
