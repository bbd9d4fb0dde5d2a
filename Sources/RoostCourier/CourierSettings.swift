internal import Curl

/// What decides where deliveries may go: the pinned vendor hosts, the protocols and the addresses.
package struct CourierSettings: Hashable, Sendable {
    /// Scheme and host of WeCom's interface.
    let weComBase: String
    let allowedSchemes: Set<TransferOptions.Scheme>
    let addressPolicy: AddressPolicy
    /// A PEM file of authorities to trust in place of the system's.
    let caFile: String?
    /// Whether these are not the settings of a real server.
    package let isForTests: Bool

    /// The vendor's own host, https, and public addresses only.
    package static func production(caFile: String? = nil) -> CourierSettings {
        CourierSettings(
            weComBase: "https://qyapi.weixin.qq.com", allowedSchemes: [.https],
            addressPolicy: .publicOnly(allowingLoopback: false), caFile: caFile, isForTests: false)
    }

    /// Settings under which robots are reached at another base URL, plain http is spoken and loopback is connected to.
    ///
    /// This is the only way to any of the three. A server that runs with it logs ``warning`` when it starts.
    package static func testing(weComBase: String) -> CourierSettings {
        CourierSettings(
            weComBase: weComBase, allowedSchemes: [.http, .https],
            addressPolicy: .publicOnly(allowingLoopback: true), caFile: nil, isForTests: true)
    }

    /// What to log at start, at the level of a warning, or nil for a real server.
    package var warning: String? {
        guard isForTests else { return nil }
        return "COURIER TEST SETTINGS ARE ON: loopback and plain http are allowed and WeCom robots are reached at "
            + "\(weComBase); nobody receives a real digest"
    }
}
