import Hummingbird
import RoostAPI

/// The server's whole surface: every method and path, and what answers it.
struct Routes: Sendable {
    let health: HealthHandlers
    let catalogue: CatalogueHandlers
    let enrolment: EnrolmentHandlers
    let devices: DeviceHandlers
    let exchange: ExchangeHandler
    let events: EventHandlers
    let snapshots: SnapshotHandler
    let imports: ImportHandlers
    let digests: DigestHandlers
    let endpoints: EndpointHandlers
    let unsubscribe: UnsubscribeHandlers
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
            .get(.init(Path.unsubscribe + "/{token}"), use: unsubscribe.ask)
            .post(.init(Path.unsubscribe + "/{token}"), use: unsubscribe.stop)

        // Of a revoked device, whose token opens nothing else.
        router.post(.init(Path.devices + "/{replica}/purged"), use: devices.purged)

        router.group().add(middleware: DeviceAuthentication(gatekeeper: gatekeeper))
            .post(.init(Path.sync), use: exchange.exchange)
            .get(.init(Path.events), use: events.events)
            .get(.init(Path.snapshots + "/{snapshot}"), use: snapshots.snapshot)
            .get(.init(Path.devices), use: devices.list)
            .post(.init(Path.devices + "/{replica}/revoke"), use: devices.revoke)
            .post(.init(Path.enrolmentCodes), use: enrolment.makeCode)
            .get(.init(Path.imports), use: imports.list)
            .post(.init(Path.imports), use: imports.upload)
            .post(.init(Path.imports + "/{batch}/undo"), use: imports.undo)
            .get(.init(Path.digests), use: digests.list)
            .post(.init(Path.digests), use: digests.compose)
            .get(.init(Path.digests + "/{digest}"), use: digests.report)
            .put(.init(Path.digests + "/{digest}"), use: digests.edit)
            .get(.init(Path.digests + "/{digest}/preview"), use: digests.preview)
            .post(.init(Path.digests + "/{digest}/test"), use: digests.test)
            .post(.init(Path.digests + "/{digest}/redrive"), use: digests.redrive)
            .post(.init(Path.digests + "/{digest}/mark-sent"), use: digests.markEndpointSent)
            .post(.init(Path.digests + "/{digest}/{step}"), use: digests.step)
            .get(.init(Path.deliveries + "/{delivery}"), use: digests.log)
            .post(.init(Path.deliveries + "/{delivery}/mark-sent"), use: digests.markSent)
            .get(.init(Path.tellings), use: digests.tellings)
            .get(.init(Path.schedules), use: digests.schedules)
            .post(.init(Path.schedules), use: digests.addSchedule)
            .post(.init(Path.schedules + "/{schedule}/{change}"), use: digests.changeSchedule)
            .get(.init(Path.endpoints), use: endpoints.list)
            .post(.init(Path.endpoints), use: endpoints.add)
            .put(.init(Path.endpoints + "/{endpoint}"), use: endpoints.edit)
            .get(.init(Path.endpointNotices), use: endpoints.notices)
            .get(.init(Path.endpoints + "/{endpoint}/log"), use: endpoints.log)
            .post(.init(Path.endpoints + "/{endpoint}/rotate"), use: endpoints.rotate)
            .post(.init(Path.endpoints + "/{endpoint}/test"), use: endpoints.test)
            .post(.init(Path.endpoints + "/{endpoint}/pause"), use: endpoints.pause)
            .post(.init(Path.endpoints + "/{endpoint}/resume"), use: endpoints.resume)
            .post(.init(Path.endpoints + "/{endpoint}/retire"), use: endpoints.retire)
        return router
    }
}
