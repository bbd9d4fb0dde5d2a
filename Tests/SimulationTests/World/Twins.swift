import RoostAPI
import RoostClient
import RoostSchema
import RoostStore
import RoostSync

/// Two machines with one database: whichever comes second is told, and becomes a device of its own.
extension World {
    func copyDevice(_ index: Int, _ dice: inout Seeded) throws {
        guard twins == nil, twinsMade < 2 else { return }
        let place = try copy(devices[index].directory, "twin")
        var twin = devices[index]
        twin.directory = place
        twin.clock = DeviceClock(clock, skew: dice.one(of: Script.skews), hasMarks: true)
        twin.replica = try Replica(directory: place, catalogue: SmallCounty.catalogue(version: twin.version))
        twin.requests = []
        twin.answers = []
        devices.append(twin)
        twins = (index, devices.count - 1)
        latestTwins = twins
        twinsMade += 1
        note("device copied")
    }

    /// A device that was told of another copy of its database enrols again, and synchronises as another device.
    func becomeOwn(_ index: Int) async throws {
        guard let pair = twins, pair.0 == index || pair.1 == index else {
            return fail(.copy, "\(devices[index].seat.device.label) is said to be a copy")
        }
        twins = nil
        note("copy told")
        let device = devices[index]
        // What it sent under a number that was the other's has no verdict and is sent again under its own name.
        devices[index].edits = device.edits.filter { decided[$0.key.key] == $0.value }
        let code = [UInt8(200 + twinsMade)]
        try await store.keepCode(hash: code, for: device.seat.officer, until: Milliseconds(.max), madeBy: nil)
        let enrolment = try Enrolment(
            of: device.replica, at: "http://server.invalid", random: { 0xE000 + UInt64(self.twinsMade) })
        let own = try await store.redeemCode(
            hash: code, replica: enrolment.identity, label: "\(device.seat.device.label) twin", tokenHash: code,
            expecting: device.seat.officer)
        try enrolment.keep(
            EnrolmentAnswer(
                token: "own", officer: device.seat.officer.description, name: device.seat.role,
                roles: [device.seat.role], epoch: store.epoch), label: own.label)
        if own.replica == device.seat.device.replica { fail(.copy, "the copy keeps the name it was told to give up") }
        devices[index].seat = Seat(officer: device.seat.officer, role: device.seat.role, device: own)
        devices[index].requests = []
        devices[index].answers = []
        devices[index].session = Session()
        model.officers[own.replica.bits] = device.seat.officer.description
        try await synchronise(index)
    }
}
