internal import CCurl
import Synchronization

/// The addresses of this machine's own interfaces, read again every few seconds.
///
/// A public address of our own is reachable from the whole internet and still must not be connected to: services that
/// trust the machine they run on listen there too.
enum OwnAddresses {
    private struct Known {
        var addresses: Set<IPAddress> = []
        var readAt: ContinuousClock.Instant?
    }

    private static let known = Mutex(Known())

    static func contains(_ address: IPAddress) -> Bool {
        known.withLock { known in
            let now = ContinuousClock.now
            if known.readAt.map({ now - $0 > .seconds(10) }) ?? true {
                known = Known(addresses: read(), readAt: now)
            }
            return known.addresses.contains(address)
        }
    }

    private static func read() -> Set<IPAddress> {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard unsafe getifaddrs(&list) == 0 else { return [] }
        defer { unsafe freeifaddrs(list) }
        var addresses: Set<IPAddress> = []
        var next = unsafe list
        while let interface = unsafe next {
            if let address = unsafe interface.pointee.ifa_addr {
                var bytes = [UInt8](repeating: 0, count: 16)
                let count = unsafe ccurl_socket_address_bytes(address, &bytes)
                if let own = IPAddress(networkOrder: bytes.prefix(Int(count))) { addresses.insert(own) }
            }
            unsafe next = unsafe interface.pointee.ifa_next
        }
        return addresses
    }
}
