package import RoostStore
import RoostAPI
import RoostSync
import Synchronization

/// Keeps a replica in step with its server until its task is cancelled.
///
/// It synchronises when the server says that something moved, when somebody edits on this device, once an hour where nothing
/// does, and more often where no stream of events can be had. Restarts of either side, sleep and bad networks only cost time.
package struct Watch: Sendable {
    /// What happens, for whoever looks on.
    package enum News: Sendable {
        /// The server tells from now on.
        case listening
        /// The server does not tell, so it is asked every so many seconds; the error says why, where there is one.
        case polling(seconds: Int, ClientError?)
        case synchronised(SyncReport)
        /// The exchange failed and is tried again.
        case retrying(ClientError, seconds: Int)
    }

    private let replica: Replica
    private let server: any EventServer
    private let environment: Environment

    /// Between two looks whether another program edited this device's database.
    private static let glance = Duration.seconds(2)
    /// The longest wait before the server is tried again.
    private static let longestWait = 60
    /// The longest wait before a stream is asked for again where exchanges work and streams do not.
    private static let longestSilence = 300
    /// After so many milliseconds without an exchange there is one although nothing moved: it renews the lease, and the
    /// server sees how far the device has come.
    private static let longestQuiet: Int64 = 3_600_000
    /// Up to so many milliseconds pass between an event and the exchange: what is for everybody would otherwise have
    /// everybody ask in the same moment.
    private static let spread: UInt64 = 250

    package init(replica: Replica, server: any EventServer, environment: Environment) {
        self.replica = replica
        self.server = server
        self.environment = environment
    }

    /// Runs until the task is cancelled; throws only what waiting cannot mend.
    package func run(
        progress: (SyncReport) -> Void = { _ in }, tell: @escaping @Sendable (News) -> Void
    ) async throws {
        let (bells, bell) = AsyncStream.makeStream(of: Bool.self, bufferingPolicy: .bufferingNewest(1))
        let contact = Contact()
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            group.addTask { await listen(contact, bell, tell) }
            group.addTask { await glanceAround(bell) }
            var failures = 0
            var iterator = bells.makeAsyncIterator()
            // The first exchange needs no bell.
            while !Task.isCancelled {
                do {
                    let advertised = try await contact.limits(of: server)
                    let report = try await Synchroniser(replica: replica, server: server, environment: environment)
                        .run(within: advertised, progress: progress)
                    failures = 0
                    contact.renew(at: environment.now())
                    tell(.synchronised(report))
                } catch {
                    if Task.isCancelled { return }
                    guard let error = ClientError(passing: error) else { throw error }
                    let seconds = backoff(failures, longest: Self.longestWait)
                    failures += 1
                    tell(.retrying(error, seconds: seconds))
                    try? await environment.sleep(.seconds(seconds))
                    continue
                }
                guard let isEvent = await iterator.next() else { return }
                if isEvent { try? await environment.sleep(.milliseconds(Int(environment.random() % Self.spread))) }
            }
        }
    }

    // MARK: What the server tells

    private enum Silence {
        case ended(String)
        case failed(ClientError)
        /// Nothing came for longer than a server that lives keeps quiet.
        case silent
    }

    /// Keeps a stream of events open, and rings now and then where there is none.
    private func listen(
        _ contact: Contact, _ bell: AsyncStream<Bool>.Continuation,
        _ tell: @escaping @Sendable (News) -> Void
    ) async {
        var failures = 0
        while !Task.isCancelled {
            let (silence, wasOpen) = await listenOnce { event in
                switch event {
                case .open:
                    // Another server than before, perhaps.
                    contact.forgetLimits()
                    tell(.listening)
                    bell.yield(true)
                case .moved: bell.yield(true)
                case .heartbeat:
                    if contact.age(at: environment.now()) >= Self.longestQuiet { bell.yield(true) }
                case .end, .unknown: break
                }
            }
            if Task.isCancelled { return }
            if wasOpen { failures = 0 }
            let poll = contact.pollSeconds
            var wait = backoff(failures, longest: Self.longestSilence)
            failures += 1
            switch silence {
            case .ended(WireEvent.Ending.replaced.rawValue):
                // Another program of this device's listens; two that replace each other would do nothing else.
                wait = Self.longestSilence
                tell(.polling(seconds: poll, nil))
            case .failed(.unreachable): break
            case .failed(let error): tell(.polling(seconds: poll, error))
            case .silent: tell(.polling(seconds: poll, .unreachable(reason: "silent")))
            case .ended: bell.yield(false)
            }
            while wait > 0, !Task.isCancelled {
                let nap = min(wait, poll)
                try? await environment.sleep(.seconds(nap))
                if nap == poll { bell.yield(false) }
                wait -= nap
            }
        }
    }

    /// Reads one stream to its end.
    private func listenOnce(_ tell: @escaping @Sendable (WireEvent) -> Void) async -> (Silence, wasOpen: Bool) {
        let line = Line()
        let silence = await withTaskGroup(of: Silence.self) { group in
            defer { group.cancelAll() }
            group.addTask {
                do throws(ClientError) {
                    try await server.watch { event in
                        line.hear(event)
                        tell(event)
                    }
                    return .ended(line.ending)
                } catch {
                    return .failed(error)
                }
            }
            group.addTask {
                repeat {
                    let before = line.count
                    do { try await environment.sleep(line.patience) } catch { break }
                    if line.count == before { break }
                } while !Task.isCancelled
                return .silent
            }
            return await group.next() ?? .silent
        }
        return (silence, line.wasOpen)
    }

    /// What was heard on one stream.
    private final class Line: Sendable {
        private struct Heard {
            var count = 0
            var heartbeatSeconds = 30
            var ending = ""
            var wasOpen = false
        }

        private let heard = Mutex(Heard())

        var count: Int { heard.withLock(\.count) }
        var ending: String { heard.withLock(\.ending) }
        var wasOpen: Bool { heard.withLock(\.wasOpen) }
        /// A little more than two signs of life may be lost.
        var patience: Duration { .milliseconds(heard.withLock(\.heartbeatSeconds) * 2500) }

        func hear(_ event: WireEvent) {
            heard.withLock { heard in
                heard.count += 1
                if case .open(let seconds) = event {
                    heard.heartbeatSeconds = max(1, min(seconds, 600))
                    heard.wasOpen = true
                }
                if case .end(let reason) = event { heard.ending = reason }
            }
        }
    }

    // MARK: What happens on this device

    /// Rings when another program edited this device's database; the look reads memory that SQLite shares.
    private func glanceAround(_ bell: AsyncStream<Bool>.Continuation) async {
        var seen = try? replica.changeMark()
        while !Task.isCancelled {
            do { try await environment.sleep(Self.glance) } catch { return }
            guard let mark = try? replica.changeMark(), mark != seen else { continue }
            seen = mark
            if (try? replica.hasUnsent()) == true { bell.yield(false) }
        }
    }

    /// Seconds to wait after so many failures in a row: doubling, and up to half as much more, so that devices that
    /// failed together do not return together.
    private func backoff(_ failures: Int, longest: Int) -> Int {
        let seconds = min(longest, 1 << min(failures, 10))
        return min(longest, seconds + Int(environment.random() % UInt64(seconds / 2 + 1)))
    }
}

/// What is known of the server: its limits, asked for once and again whenever it may have become another, and when there
/// was an exchange last.
private final class Contact: Sendable {
    private struct State {
        var limits: Limits?
        var exchangedAt: Milliseconds?
    }

    private let state = Mutex(State())

    var pollSeconds: Int { max(1, state.withLock { $0.limits?.pollSeconds } ?? Limits().pollSeconds) }

    func limits(of server: any EventServer) async throws(ClientError) -> Limits {
        if let limits = state.withLock({ $0.limits }) { return limits }
        let limits = try await server.limits()
        state.withLock { $0.limits = limits }
        return limits
    }

    func forgetLimits() { state.withLock { $0.limits = nil } }

    func renew(at moment: Milliseconds) { state.withLock { $0.exchangedAt = moment } }

    /// Milliseconds since the last exchange, whichever way the clock was set; 0 before the first.
    func age(at moment: Milliseconds) -> Int64 {
        state.withLock { state in state.exchangedAt.map { abs(moment.value - $0.value) } ?? 0 }
    }
}

extension ClientError {
    /// An error that may pass by itself; nil for one that somebody must do something about.
    fileprivate init?(passing error: any Error) {
        let known = (error as? ReplicaError).map { ClientError($0) } ?? error as? ClientError
        guard let known else { return nil }
        switch known {
        case .unreachable, .badAnswer, .busy, .synchronising: self = known
        case .refused(let refusal) where refusal.status >= 500 || refusal.status == 429 || refusal.status == 408:
            self = known
        default: return nil
        }
    }
}
