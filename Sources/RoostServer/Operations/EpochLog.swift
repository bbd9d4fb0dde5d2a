package import Logging
package import RoostStore

extension EpochRecord {
    /// Tells the operator, loudly, that the history broke and what happens now.
    package func log(to logger: Logger) {
        var metadata: Logger.Metadata = [
            "reason": "\(reason.rawValue)", "epoch": "\(epoch)", "former": "\(former)", "sequence": "\(sequence)",
        ]
        if let highWater { metadata["high_water"] = "\(highWater)" }
        if let replica { metadata["replica"] = "\(replica)" }
        logger.critical(
            """
            the database is older than what devices have seen: began a new epoch; devices bring back what was lost as they \
            sync (roostd recovery), and sending is paused until it is resumed (roostd sending)
            """, metadata: metadata)
    }
}
