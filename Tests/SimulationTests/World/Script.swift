/// One thing that happens; how exactly follows from its dice, so that dropping others leaves it what it was.
struct Event: Hashable, Sendable {
    enum Verb: String, Hashable, Sendable, CaseIterable {
        /// A person edits something on a device.
        case act
        /// A device synchronises over a good line, or over one that loses, repeats and cuts.
        case sync, lossySync
        /// Time passes.
        case pass
        /// Somebody sets a device's clock, or starts the device anew.
        case setClock, reboot
        /// A device or the server dies and comes back from what its files hold.
        case deviceDies, serverDies
        /// A request that was sent long ago arrives at last; an answer from long ago is applied at last.
        case lateRequest, lateAnswer
        /// A device dies in the middle of applying an answer.
        case deviceDiesApplying
        /// The operator changes something on the server itself.
        case operatorActs
        /// A device's program is replaced by a later version, or the server's is.
        case upgrade, serverUpgrade
        /// Some weeks pass in which the server takes away what nobody needs any more.
        case serverTidies
        /// The server is put back from a copy that misses some of what was acknowledged.
        case disaster
        /// Somebody goes on with a copy of a device's database on a second machine.
        case copyDevice
    }

    let verb: Verb
    let device: Int
    let dice: UInt64
}

/// What happens in one run, and in which circumstances.
struct Script: Hashable, Sendable {
    let seed: UInt64
    var events: [Event]
    /// The devices that take part, as places in the county's list.
    var devices: [Int]
    /// Which clock error each device begins with.
    var skews: [Int64]
    let hasMarks: [Bool]
    /// The catalogue version each device begins with; the server begins with 2.
    let versions: [Int]
    /// Whether scopes of some rows are given as files.
    var snapshots: Bool
    let pageBytes: Int
    let changesetLimit: Int

    static let skews: [Int64] = [
        0, 0, 0, 1_500, -1_500, 43 * 60_000, -43 * 60_000, 730 * 86_400_000, -730 * 86_400_000,
    ]

    init(seed: UInt64, seats: Int, length: Int = 48) {
        var dice = Seeded(seed)
        self.seed = seed
        var free = Array(0..<seats)
        var devices: [Int] = []
        for _ in 0..<3 + dice.below(3) { devices.append(free.remove(at: dice.below(free.count))) }
        // A registrar takes part in most runs: without one few things change hands.
        if !devices.contains(0), !dice.chance(4) { devices[0] = 0 }
        self.devices = devices
        skews = devices.map { _ in dice.one(of: Self.skews) }
        hasMarks = devices.map { _ in !dice.chance(4) }
        versions = devices.map { _ in dice.one(of: [1, 2, 2, 3]) }
        snapshots = dice.chance(2)
        pageBytes = dice.chance(2) ? 4096 : 1 << 20
        changesetLimit = dice.one(of: [4, 6, 5000])
        var events: [Event] = []
        for _ in 0..<length {
            events.append(
                Event(verb: Self.verb(&dice), device: dice.below(devices.count), dice: dice.next()))
        }
        self.events = events
    }

    private static func verb(_ dice: inout Seeded) -> Event.Verb {
        switch dice.below(100) {
        case ..<51: .act
        case ..<62: .sync
        case ..<73: .lossySync
        case ..<81: .pass
        case ..<83: .setClock
        case ..<84: .reboot
        case ..<85: .copyDevice
        case ..<86: .deviceDies
        case ..<87: .serverDies
        case ..<89: .lateRequest
        case ..<90: .lateAnswer
        case ..<92: .deviceDiesApplying
        case ..<95: .operatorActs
        case ..<97: .upgrade
        case ..<98: .serverUpgrade
        case ..<99: .serverTidies
        default: .disaster
        }
    }
}
