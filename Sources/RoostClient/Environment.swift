package import RoostSchema
package import RoostStore
package import RoostSync
import Foundation

/// Clock and chance, as a client finds them; tests bring their own.
package struct Environment: Sendable {
    package let now: @Sendable () -> Milliseconds
    package let mark: @Sendable () -> Mutation.Mark?
    package let random: @Sendable () -> UInt64
    package let sleep: @Sendable (Duration) async throws -> Void

    package init(
        now: @escaping @Sendable () -> Milliseconds, mark: @escaping @Sendable () -> Mutation.Mark?,
        random: @escaping @Sendable () -> UInt64, sleep: @escaping @Sendable (Duration) async throws -> Void
    ) {
        self.now = now
        self.mark = mark
        self.random = random
        self.sleep = sleep
    }

    /// This machine.
    package static let system = Environment(
        now: { Milliseconds(Int64(Date().timeIntervalSince1970 * 1000)) },
        mark: { systemMark() },
        random: { UInt64.random(in: 1...UInt64.max) },
        sleep: { try await Task.sleep(for: $0) })

    package var moment: DeviceMoment { DeviceMoment(now: now(), mark: mark()) }

    package func newRow() -> RowID {
        RowID(milliseconds: now().value, random: UInt128(random()) << 64 | UInt128(random()))
    }

    /// The clock that no one sets and that counts while the machine sleeps, with the name of this boot.
    private static func systemMark() -> Mutation.Mark? {
        #if os(Linux)
            var time = timespec()
            guard unsafe clock_gettime(CLOCK_BOOTTIME, &time) == 0,
                let boot = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
            else { return nil }
            return Mutation.Mark(
                monotonic: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000,
                boot: boot.trimmingCharacters(in: .whitespacesAndNewlines))
        #else
            return nil
        #endif
    }
}
