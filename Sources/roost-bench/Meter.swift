import Glibc

/// Measures what a number of like things cost in time and in this process's processor time, the receiver's included.
struct Meter {
    private let start = ContinuousClock.now
    private let processor = Self.processorSeconds

    var elapsed: Duration { ContinuousClock.now - start }

    func spent(on count: Int) -> Spending {
        Spending(
            perSecond: Double(count) / elapsed.seconds,
            processorMicroseconds: (Self.processorSeconds - processor) * 1e6 / Double(count))
    }

    private static var processorSeconds: Double { Double(clock()) / Double(CLOCKS_PER_SEC) }
}

/// What each of many like things cost.
struct Spending {
    let perSecond: Double
    let processorMicroseconds: Double
}

/// The middle one; of an even number, the upper of both in the middle.
func median(_ figures: [Double]) -> Double { figures.sorted()[figures.count / 2] }
