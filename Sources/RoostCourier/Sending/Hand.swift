/// What a sender has taken: deliveries under way, and those that wait for a place at their endpoint.
///
/// Some are taken before their turn where the channel allows it, so that one starts when another ends, without a look into
/// the database between them.
struct Hand {
    /// An endpoint's deliveries.
    private struct Place {
        var active = 0
        /// Each with the moment at which it was taken; those before `first` have begun.
        var waiting: [(delivery: LeasedDelivery, takenAt: Moment)] = []
        var first = 0

        var isIdle: Bool { active == 0 && first == waiting.count }

        /// Whether one that waits may begin.
        var hasRoom: Bool {
            first < waiting.count && active < waiting[first].delivery.target.channel.maximumInFlight
        }

        mutating func next() -> (delivery: LeasedDelivery, takenAt: Moment)? {
            guard first < waiting.count else { return nil }
            defer {
                first += 1
                if first == waiting.count { (waiting, first) = ([], 0) }
            }
            return waiting[first]
        }
    }

    /// What becomes of a delivery that was handed out.
    enum Reception {
        case start, wait
        /// It is here already: its lease ended while this process stood still, and what it comes to counts.
        case known
        /// Its endpoint has as many as it may: it goes back.
        case surplus
    }

    /// A delivery that has waited this long goes back: its lease must outlast it and a transfer.
    static let longestWait = Duration.seconds(20)

    /// How much may be under way in all.
    private let maximum: Int
    private var active = 0
    /// Taken, and not yet given back by ``land(_:)``.
    private var held: Set<DeliveryID> = []
    private var places: [EndpointID: Place] = [:]
    /// Endpoints where one waits although there is a place, because too much was under way in all.
    private var starved: [EndpointID] = []

    init(maximum: Int) { self.maximum = maximum }

    /// How many more may be taken: four times what may be under way and more, so that results are kept in large steps.
    var room: Int { max(1024, 4 * maximum) - held.count }
    var isEmpty: Bool { held.isEmpty }

    /// Takes a delivery that the queue handed out.
    mutating func take(_ delivery: LeasedDelivery, now: Moment) -> Reception {
        guard held.insert(delivery.id).inserted else { return .known }
        let channel = delivery.target.channel
        let endpoint = delivery.endpoint
        let (started, waiting) = places[endpoint].map { ($0.active, $0.waiting.count - $0.first) } ?? (0, 0)
        if started < channel.maximumInFlight, waiting == 0, active < maximum {
            places[endpoint, default: Place()].active += 1
            active += 1
            return .start
        }
        guard started + waiting < channel.maximumInHand else { return .surplus }
        if started < channel.maximumInFlight { starved.append(endpoint) }
        places[endpoint, default: Place()].waiting.append((delivery, now))
        return .wait
    }

    /// Whether so little waits for an endpoint that more should be taken before it is used up.
    func isLow(at endpoint: EndpointID) -> Bool {
        guard let place = places[endpoint], let next = place.waiting.last else { return true }
        return place.waiting.count - place.first < 2 * next.delivery.target.channel.maximumInFlight
    }

    /// Notes that the result of a delivery is on its way into the queue.
    mutating func land(_ delivery: DeliveryID) { held.remove(delivery) }

    /// Ends a delivery that was under way and begins another in its place, if one waits.
    mutating func next(after endpoint: EndpointID) -> (delivery: LeasedDelivery, takenAt: Moment)? {
        if let next = places[endpoint]?.next() { return next }
        leave(endpoint)
        while let other = starved.popLast() {
            // It may have got its places meanwhile; then what waits there follows those.
            guard var place = places[other], place.hasRoom, let next = place.next() else { continue }
            place.active += 1
            active += 1
            places[other] = place
            return next
        }
        return nil
    }

    private mutating func leave(_ endpoint: EndpointID) {
        active -= 1
        places[endpoint]?.active -= 1
        if places[endpoint]?.isIdle == true { places[endpoint] = nil }
    }

    /// Gives back what waits for an endpoint, or for all of them; with a condition only what meets it.
    mutating func giveBack(
        at endpoint: EndpointID? = nil, where condition: (LeasedDelivery) -> Bool = { _ in true }
    ) -> [LeasedDelivery] {
        var back: [LeasedDelivery] = []
        for endpoint in endpoint.map({ [$0] }) ?? Array(places.keys) {
            var kept: [(delivery: LeasedDelivery, takenAt: Moment)] = []
            while let next = places[endpoint]?.next() {
                if condition(next.delivery) { back.append(next.delivery) } else { kept.append(next) }
            }
            places[endpoint]?.waiting = kept
            if places[endpoint]?.isIdle == true { places[endpoint] = nil }
        }
        return back
    }
}
