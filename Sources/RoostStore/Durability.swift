import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Makes a file's content, or the names in a directory, survive a power failure (fsync(2)); throws `POSIXError`.
package func makeDurable(_ path: String) throws {
    func check(_ result: Int32) throws {
        guard result >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    }
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    try check(file)
    defer { close(file) }
    try check(fsync(file))
}
