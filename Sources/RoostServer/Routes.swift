import Hummingbird
import RoostAPI

/// The server's whole surface: every method and path, and what answers it.
struct Routes: Sendable {
    let health: HealthHandlers
    let catalogue: CatalogueHandlers
    let enrolment: EnrolmentHandlers
    let devices: DeviceHandlers
    let exchange: ExchangeHandler
    let gatekeeper: Gatekeeper

    var router: Router<RoostContext> {
        let router = Router(context: RoostContext.self)
        router.get(.init(Path.health), use: health.health)
        router.get(.init(Path.ready), use: health.ready)
        router.get(.init(Path.metrics), use: health.metrics)

        router.group().add(middleware: AddressLimit(gatekeeper: gatekeeper))
            .get(.init(Path.limits), use: catalogue.limits)
            .get(.init(Path.schema), use: catalogue.schema)
            .post(.init(Path.enrol), use: enrolment.enrol)

        router.group().add(middleware: DeviceAuthentication(gatekeeper: gatekeeper))
            .post(.init(Path.sync), use: exchange.exchange)
            .get(.init(Path.devices), use: devices.list)
            .post(.init(Path.devices + "/{replica}/revoke"), use: devices.revoke)
            .post(.init(Path.enrolmentCodes), use: enrolment.makeCode)
        return router
    }
}
