import GRDB

extension ServerStore {
    /// What an error of the database may say in a log: SQLite's code and message, which name tables and columns but
    /// never values; nil for errors of other origin.
    package static func diagnosis(of error: any Error) -> String? {
        guard let error = error as? DatabaseError else { return nil }
        return "SQLite \(error.extendedResultCode.rawValue): \(error.message ?? "no message")"
    }
}
