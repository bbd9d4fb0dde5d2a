import RoostSync
import Synchronization

/// What the server takes that it need not: set by its operator.
package struct Leniency: Hashable, Sendable {
    /// For how many days after its author's authority ended an edit made before is still applied.
    package var graceDays: Int
    /// How many edits of collections it does not know it keeps for one officer.
    package var parkedMutations: Int

    package init(graceDays: Int = Int(Decider.defaultGrace / 86_400_000), parkedMutations: Int = 20_000) {
        self.graceDays = graceDays
        self.parkedMutations = parkedMutations
    }

    var grace: Int64 { Int64(graceDays) * 86_400_000 }
}

extension ServerStore {
    /// Takes what the operator set; before that the defaults hold.
    package func adopt(_ leniency: Leniency) { self.leniency.withLock { $0 = leniency } }
}
