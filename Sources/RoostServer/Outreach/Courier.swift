import Curl
package import RoostCourier
package import RoostStore
import RoostSync

/// The sender of this server, over its database.
package struct Courier: Sendable {
    package let settings: CourierSettings
    /// Also used for test messages, so that they pass the same guards.
    package let transport: any HTTPTransport
    let sender: Sender
    /// By which the outbox is read.
    package static var rules: OutboxRules { StoreDeliveryQueue.rules }

    private let queue: StoreDeliveryQueue

    /// Makes a courier that does nothing until ``run()``.
    ///
    /// Time is the store's unless a test gives another. `observe` is told of every attempt and of every failure of the
    /// store, from any thread.
    package init(
        store: ServerStore, key: ServerKey, settings: CourierSettings, transport: any HTTPTransport = HTTPClient(),
        clock: (any SenderClock)? = nil, maximumInFlight: Int = StoreDeliveryQueue.capacity,
        observe: @escaping @Sendable (SenderEvent) -> Void
    ) {
        self.settings = settings
        self.transport = transport
        queue = StoreDeliveryQueue(store: store, vault: EndpointVault(key: key, settings: settings))
        sender = Sender(
            queue: queue, transport: transport, settings: settings, maximumInFlight: maximumInFlight,
            clock: clock ?? StoreClock(store: store), observe: observe)
    }

    /// Looks at the queue now, because something was released.
    package func wake() { sender.wake() }

    /// Sends until drained or cancelled; first settles what a sender that died had under way.
    package func run() async throws {
        try await queue.recover()
        await sender.run()
    }

    /// Takes nothing new; ``run()`` returns when what is under way has been answered and kept.
    package func drain() { sender.drain() }
}

/// The store's own clock, so that what is due and what is late is judged by one clock.
struct StoreClock: SenderClock {
    let store: ServerStore

    func now() -> Moment { Moment(milliseconds: store.clock().value) }

    func sleep(for duration: Duration) async throws { try await Task.sleep(for: duration) }
}
