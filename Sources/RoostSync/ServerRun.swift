/// One run of a server over its database: from one start to the next.
///
/// A copy of a whole machine that is put back names the same epoch inside the database and beside it. If it has come as far
/// again as before, no cursor is beyond it either, and a device would go on as if the history were the one it knows. But
/// the server was started since, and a start draws a mark that no other history has: a device that knows a run which this
/// history lacks, or more of a run than it has, has seen another one.
///
/// What a machine that was put back as it ran writes before its next start is not told apart by this.
package struct ServerRun: Hashable, Sendable {
    /// Counts the starts of a database from 1.
    package let number: Int64
    /// Drawn at random.
    package let mark: UInt64

    package init(number: Int64, mark: UInt64) {
        self.number = number
        self.mark = mark
    }
}

extension ServerRun: CustomStringConvertible {
    /// As it is written on the wire: `<number>-<mark as 16 hexadecimal digits>`.
    package init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let number = Int64(parts[0]), number > 0, let mark = ReplicaID(parts[1]) else {
            return nil
        }
        self.init(number: number, mark: mark.bits)
    }

    package var description: String { "\(number)-\(ReplicaID(mark))" }
}
