import Glibc

/// Measures what a number of like things cost in time and in this process's processor time, the receiver's included.
struct Meter {
    private let start = ContinuousClock.now
    private let processor = Self.processorSeconds

    func spent(on count: Int) -> Spending {
        Spending(
            perSecond: Double(count) / (ContinuousClock.now - start).seconds,
            processorMicroseconds: (Self.processorSeconds - processor) * 1e6 / Double(count))
    }

    private static var processorSeconds: Double { Double(clock()) / Double(CLOCKS_PER_SEC) }
}

/// What each of many like things cost.
struct Spending {
    let perSecond: Double
    let processorMicroseconds: Double
}
