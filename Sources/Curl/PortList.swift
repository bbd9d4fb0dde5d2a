/// Ports, singly and in ranges, that transfers may go to.
package struct PortList: Hashable, Sendable {
    private let ranges: [ClosedRange<Int>]

    /// Every port.
    package static let all = PortList(ranges: [1...65_535])
    /// Where webhooks are served to the public.
    package static let usual = PortList(ranges: [443...443, 8443...8443])

    private init(ranges: [ClosedRange<Int>]) { self.ranges = ranges }

    /// Reads such as `443, 8443, 9000-9099`; nil for anything else, and for no port at all.
    package init?(_ text: String) {
        var ranges: [ClosedRange<Int>] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.filter { $0 != " " }.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1], first <= last,
                (1...65_535).contains(first), (1...65_535).contains(last)
            else { return nil }
            ranges.append(first...last)
        }
        self.ranges = ranges
    }

    package func contains(_ port: Int) -> Bool { ranges.contains { $0.contains(port) } }

    /// Whether the port of a URL, or that of its protocol where it names none, is among them; not of what is no URL.
    package func allows(_ url: String) -> Bool { self == .all || portOfURL(url).map(contains) ?? false }
}
