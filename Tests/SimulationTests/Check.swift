/// What the simulation checks; `Documentation.docc/Checks.md` tells where each is made, and which other tests check what
/// this one cannot.
enum Check: String, CaseIterable {
    case view, row, stamp, lost, leak, purge
    case verdict, winner, conflict, expected, offset
    case accounting, lostValue = "lost value", exactlyOnce = "exactly once", retry, copy
    case session, weight, surrender, recovery, epoch, collection, liveness, client, codec

    /// What the product promises and has broken.
    var promise: String {
        switch self {
        case .view: "After a synchronisation a device shows exactly the rows and fields its owner may see."
        case .row: "A page shows each row of its scope as the scope shows it, and says of no other that it left."
        case .stamp: "A field comes under the stamp of the edit that won it."
        case .lost: "A device is told which of its scopes its owner does not hold any more."
        case .leak: "No byte on the wire holds a value that its reader may not see at that moment."
        case .purge: "What left a device is nowhere in its files."
        case .verdict: "Every edit gets the verdict that the written rules give it."
        case .winner:
            "Of all values accepted for a field the one with the greatest stamp stands, in whatever order they came."
        case .conflict: "A conflict has one identity."
        case .expected: "The server expects the number after the last that it decided."
        case .offset: "The server measures how wrong a device's clock is."
        case .accounting: "Every edit that was ever made has exactly one verdict, or waits."
        case .lostValue:
            "Every value that was typed is in its row, in the history, in quarantine, or in its author's box."
        case .exactlyOnce: "A verdict that was given is given again byte for byte."
        case .retry: "An edit is sent again as it was sent before."
        case .copy: "Two devices of one database are told, and nothing of either is lost."
        case .session: "A device shows its owner's edits from the moment they are made, and never an older state again."
        case .weight: "An exchange costs no more than its parts may."
        case .surrender: "A refused edit whose row left is taken by the server before its device forgets it."
        case .recovery: "A server that was put back gets back what it had acknowledged, under the same stamps."
        case .epoch: "A history that went back gets a new name, and no other does."
        case .collection: "Only deleted rows are taken away."
        case .liveness: "Once the line is good, every device comes to rest in a few exchanges."
        case .client: "A device never stops over what a server says."
        case .codec: "What is sent can be read."
        }
    }
}

extension Violation: CustomStringConvertible {
    var description: String { "\(check.rawValue): \(check.promise) Here: \(detail)" }
}
