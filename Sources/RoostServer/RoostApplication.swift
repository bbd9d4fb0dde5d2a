import Hummingbird
import HummingbirdCore
import HummingbirdTLS
package import Logging
import NIOCore
import NIOSSL
import RoostAPI
import RoostCourier
package import RoostStore
import RoostSync
package import ServiceLifecycle
package import UnixSignals

/// A server ready to be run: the store, the key, the settings and everything that answers requests.
package struct RoostApplication: Sendable {
    package let store: ServerStore
    package let settings: ServerSettings
    package let accounts: AccountDesk
    package let metrics: ServerMetrics
    package let logger: Logger
    private let courier: Courier
    private let importer: SheetImporter
    private let digests: DigestDesk
    private let endpoints: EndpointDesk
    private let vault: EndpointVault
    private let notices: NoticePost
    /// Who waits to be told of what commits move.
    package let watchers: Watchers

    package init(
        store: ServerStore, key: ServerKey, settings: ServerSettings, logger: Logger,
        metrics: ServerMetrics = ServerMetrics()
    ) throws {
        self.store = store
        self.settings = settings
        self.logger = logger
        self.metrics = metrics
        store.adopt(settings.leniency)
        accounts = AccountDesk(store: store, key: key, codeMinutes: settings.enrolmentMinutes)
        let watchers = Watchers(limit: settings.limits.watchers)
        store.movements.listen { watchers.tell($0) }
        self.watchers = watchers
        let courier = Courier(
            store: store, key: key,
            settings: settings.courier,
            observe: CourierService.observer(logger, metrics))
        self.courier = courier
        vault = EndpointVault(key: key, settings: courier.settings)
        notices = NoticePost(store: store) { courier.wake() }
        importer = try SheetImporter(store: store, key: key)
        digests = DigestDesk(
            store: store, key: key, settings: courier.settings, transport: courier.transport
        ) { courier.wake() }
        endpoints = EndpointDesk(
            store: store, key: key, settings: courier.settings, transport: courier.transport
        ) { courier.wake() }
    }

    /// The owner of everything long-running; `onRunning` is told the port once requests are taken.
    package func serviceGroup(
        stoppingOn signals: [UnixSignal] = [], onRunning: @escaping @Sendable (Int) async -> Void
    ) throws -> ServiceGroup {
        if !settings.isProtected {
            logger.warning(
                """
                listening without TLS where others can connect: tokens and people's data can be read on the way; set \
                tls.certificate and tls.key, or put a proxy with TLS before it and set http.trust_forwarded_for
                """)
        }
        return ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: try services(onRunning: onRunning), gracefulShutdownSignals: signals, logger: logger))
    }

    private func services(onRunning: @escaping @Sendable (Int) async -> Void) throws -> [any Service] {
        let store = store
        let dueDates = DueDates(store: store)
        return [
            try httpService(onRunning: onRunning),
            CourierService(courier: courier, logger: logger),
            RepeatingService("due dates", logger: logger, every: { DueDates.untilNextDay(store.clock()) }) {
                let count = try await dueDates.refresh()
                if count > 0 { logger.info("wrote what the day brought", metadata: ["rows": "\(count)"]) }
            },
            RepeatingService("digest drafts", logger: logger, every: { .seconds(300) }) { [digests] in
                for result in try await digests.draftDue() {
                    logger.info("a schedule's draft was due", metadata: ["result": "\(result)"])
                }
            },
            RepeatingService("scheduled digests", logger: logger, every: { .seconds(15) }) { [digests] in
                for event in try await digests.releaseDue() {
                    logger.notice(
                        "a digest's time came", metadata: ["digest": "\(event.digest)", "result": "\(event.result)"])
                }
            },
            RepeatingService("notices", logger: logger, every: { .seconds(15) }) { [notices] in
                let count = try await notices.post()
                if count > 0 {
                    logger.notice("told of endpoints that fail or recovered", metadata: ["count": "\(count)"])
                }
                for failing in try await notices.unheard() {
                    logger.warning(
                        "nobody is told of what fails: no endpoint for notices can be; see roostd doctor",
                        metadata: ["channel": "\(failing.channel)", "code": "\(failing.code)"])
                }
            },
            // So that a copy of the database put back by hand is told by how little it knows.
            RepeatingService("high water", logger: logger, every: { .seconds(60) }) { try store.keepHighWater() },
            SnapshotService(store: store, minimumRows: settings.snapshotRows, logger: logger),
            RepeatingService("snapshots", logger: logger, every: { .seconds(300) }) {
                try await store.sweepSnapshots()
            },
            RepeatingService("collection", logger: logger, every: { .seconds(6 * 3600) }) {
                [retention = settings.retention] in
                let report = try await store.collect(retention)
                guard !report.isEmpty else { return }
                logger.info(
                    "collected what nobody needs any more",
                    metadata: [
                        "departures": "\(report.departures)", "rows": "\(report.rows)",
                        "history": "\(report.history)", "verdicts": "\(report.verdicts)",
                        "notes": "\(report.notes)",
                    ])
            },
            // SQLite moves the log back by itself as long as readers leave gaps; this catches what busy hours leave.
            RepeatingService("checkpoint", logger: logger, every: { .seconds(900) }) { try store.checkpoint() },
            // Last, so that it is stopped first: the HTTP server waits for open streams.
            WatcherService(
                store: store, watchers: watchers, pause: .seconds(settings.limits.heartbeatSeconds), logger: logger),
        ]
    }

    /// The HTTP server, as a service that stops gracefully: it takes no new connection and answers what it has begun.
    private func httpService(onRunning: @escaping @Sendable (Int) async -> Void) throws -> any Service {
        let router = routes.router
        let responder = RecordingResponder(
            base: TranslatingResponder(
                base: TimedResponder(
                    base: router.buildResponder(), limit: .seconds(settings.limits.timeoutSeconds),
                    importLimit: .seconds(settings.limits.importTimeoutSeconds)),
                logger: logger, metrics: metrics),
            logger: logger, metrics: metrics)
        // What sends nothing for a minute between requests is let go.
        let plain = HTTPServerBuilder.http1(configuration: .init(idleTimeout: .seconds(60)))
        let server = try settings.certificate.map { try .tls(plain, tlsConfiguration: Self.tls($0)) } ?? plain
        return Application(
            responder: responder, server: server,
            configuration: ApplicationConfiguration(address: .hostname(settings.host, port: settings.port)),
            onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? 0) }, logger: logger)
    }

    private var routes: Routes {
        let gatekeeper = Gatekeeper(
            store: store, limiter: RateLimiter(clock: store.clock), limits: settings.limits,
            trustsForwardedFor: settings.trustsForwardedFor)
        return Routes(
            health: HealthHandlers(
                store: store, readiness: Readiness(clock: store.clock) { [store] in try await store.check() },
                metrics: metrics, watchers: watchers, metricsToken: settings.metricsToken),
            catalogue: CatalogueHandlers(limits: settings.limits, catalogue: store.rules.catalogue),
            enrolment: EnrolmentHandlers(
                accounts: accounts, gatekeeper: gatekeeper, attemptsPerMinute: settings.enrolmentAttemptsPerMinute,
                metrics: metrics),
            devices: DeviceHandlers(accounts: accounts, gatekeeper: gatekeeper),
            exchange: ExchangeHandler(store: store, limits: settings.limits, metrics: metrics),
            events: EventHandlers(store: store, watchers: watchers, limits: settings.limits),
            snapshots: SnapshotHandler(store: store),
            imports: ImportHandlers(
                importer: importer, register: ImportRegister(store: store), bodyLimit: settings.limits.bodyBytes),
            digests: DigestHandlers(desk: digests), endpoints: EndpointHandlers(desk: endpoints),
            unsubscribe: UnsubscribeHandlers(store: store, vault: vault),
            gatekeeper: gatekeeper)
    }

    private static func tls(_ certificate: ServerSettings.Certificate) throws -> TLSConfiguration {
        let chain = try NIOSSLCertificate.fromPEMFile(certificate.chain).map(NIOSSLCertificateSource.certificate)
        let key = try NIOSSLPrivateKey(file: certificate.key, format: .pem)
        return .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key))
    }
}
