import RoostAPI

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How many files and connections this process may have open.
package enum OpenFiles {
    /// Beside one for each watcher: the database, other requests, what is sent outwards.
    private static let others = 512

    /// Takes as many as the operator allows at most: the limit a shell gives by default is for programs that use
    /// `select`.
    ///
    /// - Returns: how many there are then; nil where nobody can tell.
    package static func raise() -> Int? {
        var limit = rlimit()
        guard unsafe getrlimit(resource, &limit) == 0 else { return nil }
        if limit.rlim_cur < limit.rlim_max {
            var raised = limit
            raised.rlim_cur = limit.rlim_max
            if unsafe setrlimit(resource, &raised) == 0 { limit = raised }
        }
        return Int(clamping: limit.rlim_cur)
    }

    /// Whether so many may not be enough for as many watchers as a server lets in.
    package static func isShort(_ count: Int, for settings: ServerSettings) -> Bool {
        count < settings.limits.watchers + others
    }

    #if canImport(Glibc)
        private static var resource: __rlimit_resource_t { __rlimit_resource_t(RLIMIT_NOFILE.rawValue) }
    #else
        private static var resource: Int32 { RLIMIT_NOFILE }
    #endif
}
