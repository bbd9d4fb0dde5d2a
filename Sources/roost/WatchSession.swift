import Curl
import Dispatch
import Foundation
import RoostClient
import RoostSchema
import RoostStore
import RoostSync

/// `roost sync --watch`: says in one line each what happens, until the person presses Ctrl-C.
struct WatchSession {
    private let session: Session
    private var output: Output { session.output }

    init(_ session: Session) { self.session = session }

    func run() async throws {
        let replica = try session.openReplica()
        let client = HTTPClient(idleConnections: 2)
        defer { client.shutdown() }
        let server = try session.connection(try replica.enrolled(), client)
        let watch = Watch(replica: replica, server: server, environment: session.environment)
        let output = output
        let line = WatchLine(output: output)
        try await untilInterrupted {
            try await watch.run { report in
                output.progress(report.progress(output.language))
            } tell: {
                line.say($0)
            }
        }
        output.endProgress()
        line.stopped()
    }

    /// Runs until the work ends, or until somebody asks this process to stop, which is no error.
    ///
    /// Asking a second time ends the process at once.
    private func untilInterrupted(_ work: @escaping @Sendable () async throws -> Void) async throws {
        let task = Task { try await work() }
        let sources = [SIGINT, SIGTERM].map { number in
            // What a source watches must not end the process by itself.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                signal(number, SIG_DFL)
                task.cancel()
            }
            source.resume()
            return source
        }
        defer { for source in sources { source.cancel() } }
        do { try await task.value } catch is CancellationError {}
    }
}

/// The lines of a watch: a time and what happened; objects with `--json`.
private struct WatchLine: Sendable {
    let output: Output

    func say(_ news: Watch.News) {
        output.endProgress()
        switch news {
        case .listening:
            say("listening", "等候服务器通知。按 Ctrl-C 结束。", "Waiting for the server's word; Ctrl-C ends.")
        case .polling(let seconds, let error):
            say(
                "polling", "收不到服务器通知，改为每 \(seconds) 秒同步一次。",
                "The server's word does not come through; synchronising every \(seconds) s instead.",
                [.init("seconds", .integer(Int64(seconds))), .init("code", error.map { .text($0.code) } ?? .null)])
        // An exchange that found nothing is no news to people.
        case .synchronised(let report) where !output.json && !report.hasNews: break
        case .synchronised(let report):
            let members: [Value.Member]
            if case .object(let all) = SyncCommand.value(report) { members = all } else { members = [] }
            say(
                "synchronised", "已同步：发送 \(report.sent) 条，接收 \(report.rowsReceived) 条\(removed(report).zh)。",
                "Synchronised: \(report.sent) sent, \(report.rowsReceived) received\(removed(report).en).", members)
        case .retrying(let error, let seconds):
            say(
                "retrying", "\(seconds) 秒后重试。\(error.message.zh)", "Trying again in \(seconds) s. \(error.message.en)",
                [.init("seconds", .integer(Int64(seconds))), .init("code", .text(error.code))])
        }
    }

    func stopped() { say("stopped", "已停止。", "Stopped.") }

    private func removed(_ report: SyncReport) -> Label {
        let refused = report.verdicts[.rejected] ?? 0
        let purged = report.rowsPurged
        return Label(
            (refused > 0 ? "，退回 \(refused) 条（见 roost rejected）" : "") + (purged > 0 ? "，清除 \(purged) 条" : ""),
            (refused > 0 ? ", \(refused) refused (see roost rejected)" : "") + (purged > 0 ? ", \(purged) removed" : "")
        )
    }

    private func say(_ event: String, _ zh: String, _ en: String, _ members: [Value.Member] = []) {
        let time = Date.now.formatted(
            .verbatim(
                "\(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\(minute: .twoDigits):\(second: .twoDigits)",
                timeZone: .current, calendar: .current))
        output.say(time + " " + output.text(zh, en))
        output.result(.object([.init("event", .text(event))] + members))
        // Whoever reads a pipe waits for each line.
        _ = fflush(nil)
    }
}
