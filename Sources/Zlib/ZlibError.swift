/// Why bytes could not be compressed or inflated.
package enum ZlibError: Error, Hashable, Sendable {
    /// The input is not gzip, is damaged, or goes on behind its end.
    case damaged
    /// The input ended before the end of its stream.
    case incomplete
    /// Inflated, it is larger than the caller accepts.
    case tooLarge
    case noMemory
}
