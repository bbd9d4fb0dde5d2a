import ArgumentParser
import Foundation
import Logging
import RoostServer
import RoostStore
import ServiceLifecycle
import UnixSignals

struct Serve: OperatorCommand {
    static let configuration = CommandConfiguration(abstract: "Run the server. 启动服务器。")

    @OptionGroup var options: CommonOptions

    @Option(help: "Port to listen on; 0 takes a free one. 端口。")
    var port: Int?

    @Option(help: "Address to listen on. 监听地址。")
    var host: String?

    @Flag(inversion: .prefixedNo, help: "Fill an empty database with an invented county. 空库时生成演示县。")
    var demo: Bool?

    @Flag(help: "Serve although the database tells of later moments than the clock. 系统时间早于已记录的时间也照常启动。")
    var trustClock = false

    @Option(help: .hidden)
    var client = "roost"

    func act() async throws {
        var flags: [SettingKey: String] = [:]
        flags[.port] = port.map(String.init)
        flags[.host] = host
        flags[.demo] = demo.map(String.init)
        let reading = try await SettingsReading(options, flags: flags)
        let settings = reading.settings
        let logger = Self.logger(settings)
        logger.notice(
            "starting",
            metadata: Dictionary(uniqueKeysWithValues: reading.printable.map { ($0.0, "\($0.1)") }))
        if let files = OpenFiles.raise(), OpenFiles.isShort(files, for: settings) {
            logger.warning(
                "fewer files may be open than limits.watchers takes: raise the limit (LimitNOFILE, ulimit -n)",
                metadata: ["files": "\(files)"])
        }
        let lock: ServerLock
        do { lock = try ServerLock(directory: settings.data) } catch is ServerLock.Taken {
            throw Failure(
                options, "另一个进程正在使用数据目录 \(settings.data)", "another process uses the data directory \(settings.data)")
        }
        defer { lock.release() }
        let (store, key) = try await DataDirectory(path: settings.data, key: settings.key).initialise()
        guard try trustClock || !DataDirectory.isClockBehind(store) else {
            try store.close()
            throw Failure(
                options, "系统时间早于已记录的时间，没有启动：请先校准系统时间(例如启用 NTP)；如果记录的时间才是错的，用 --trust-clock 启动",
                """
                the system's clock is behind moments already recorded, so nothing was started: set the clock, for example by \
                NTP; if the recorded moments are the wrong ones, start with --trust-clock
                """)
        }
        store.begunAtStart?.log(to: logger)
        if settings.demo, try await DataDirectory.addDemo(to: store) != nil {
            logger.notice("made the demo county")
        }
        let application = try RoostApplication(store: store, key: key, settings: settings, logger: logger)
        let welcome = Welcome(options: options, client: client, application: application)
        let group = try application.serviceGroup(stoppingOn: [.sigterm, .sigint]) { port in
            await welcome.print(port: port)
        }
        do { try await group.run() } catch {
            guard let reason = RoostApplication.listeningProblem(error) else { throw error }
            let address = "\(settings.host):\(settings.port)"
            let words = options.text(reason)
            throw Failure(options, "无法监听 \(address)：\(words)", "cannot listen on \(address): \(words)")
        }
        try store.close()
        logger.notice("stopped")
    }

    private static func logger(_ settings: ServerSettings) -> Logger {
        let level = Logger.Level(rawValue: settings.logLevel) ?? .info
        let format = settings.logFormat
        return Logger(label: "roostd") { _ in LineLogHandler.standardError(level: level, format: format) }
    }
}
