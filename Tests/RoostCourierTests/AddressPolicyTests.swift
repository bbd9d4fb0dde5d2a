import Glibc
import Testing

@testable import Curl

@Suite struct AddressPolicyTests {
    let guarded = AddressPolicy.publicOnly(allowingLoopback: false)

    @Test(arguments: [
        "0.0.0.0", "0.255.255.255", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254",
        "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1",
        "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1",
        "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1",
        "64:ff9b::10.0.0.1", "64:ff9b:1::808:808", "100::1", "2001::1", "2001:1ff:ffff::1", "2001:db8::1",
        "2002:7f00:1::", "3fff::1", "3fff:fff::1", "5f00::1", "fc00::1", "fdff::1", "fe80::1", "fec0::1", "ff02::1",
        "4000::1",
    ])
    func `an address that the internet cannot reach is refused`(_ text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(!guarded.allows(address))
        #expect(AddressPolicy.anyAddress.allows(address))
        #expect(AddressPolicy.publicOnly(allowingLoopback: true).allows(address) == address.isLoopback)
    }

    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.1",
        "169.253.0.1", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "198.17.0.1", "198.20.0.0",
        "223.255.255.255", "2001:200::1", "2400:3200::1", "2606:4700::1111", "2001:db9::1", "2003::1", "3ffe::1",
        "64:ff9b::808:808",
    ])
    func `a public address is let through`(_ text: String) throws {
        #expect(guarded.allows(try #require(IPAddress(text))))
    }

    @Test(arguments: ["", "localhost", "127.1", "0x7f.0.0.1", "2130706433", "1.2.3.4.5", "::g", "[::1]"])
    func `only canonical spellings are addresses`(_ text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(arguments: [
        ("10.20.0.0/16", "10.20.255.255", "10.21.0.0"), ("10.20.1.1/16", "10.20.0.1", "10.19.255.255"),
        ("192.168.7.9", "192.168.7.9", "192.168.7.8"), ("0.0.0.0/0", "255.255.255.255", "::1"),
        ("fd00:1::/32", "fd00:1:ffff::1", "fd00:2::1"), ("::/0", "ffff::1", "1.1.1.1"), ("::1/128", "::1", "::2"),
    ])
    func `a range holds what its prefix says`(_ text: String, _ inside: String, _ outside: String) throws {
        let range = try #require(AddressRange(text))
        #expect(range.contains(try #require(IPAddress(inside))))
        #expect(!range.contains(try #require(IPAddress(outside))))
        #expect(AddressRange(range.description) == range)
    }

    @Test(arguments: ["", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0/8", "::/129", "10.0.0.0/8/8", "x/8"])
    func `other texts are no range`(_ text: String) { #expect(AddressRange(text) == nil) }

    @Test func `an intranet that is named is let through and nothing beside it`() throws {
        let networks = ["10.20.0.0/16", "fd00:1::/32"].compactMap { AddressRange($0) }
        let policy = AddressPolicy.publicOnly(allowingLoopback: false, networks: networks)
        let verdicts = try ["10.20.1.1", "fd00:1::9", "10.21.1.1", "127.0.0.1", "169.254.169.254", "1.1.1.1"].map {
            policy.allows(try #require(IPAddress($0)))
        }
        #expect(verdicts == [true, true, false, false, false, true])
    }

    @Test func `this machine's own addresses are known`() throws {
        #expect(OwnAddresses.contains(try #require(IPAddress("127.0.0.1"))))
        #expect(!OwnAddresses.contains(try #require(IPAddress("1.1.1.1"))))
    }

    @Test func `an address prints as numbers`() throws {
        #expect(try #require(IPAddress("192.168.0.1")).description == "192.168.0.1")
        #expect(try #require(IPAddress("fe80::1:2")).description == "fe80:0:0:0:0:0:1:2")
    }
}

@Suite struct AddressGuardTests {
    let client = HTTPClient()

    private func guarded(loopback: Bool = false) -> TransferOptions {
        TransferOptions(
            connectTimeout: .seconds(60), totalTimeout: .seconds(120), allowedSchemes: [.http],
            addressPolicy: .publicOnly(allowingLoopback: loopback))
    }

    private func reason(_ request: HTTPRequest) async -> CurlError.Reason? {
        do throws(CurlError) {
            _ = try await client.send(request)
            return nil
        } catch {
            return error.surelyNotSent ? error.reason : nil
        }
    }

    @Test(arguments: [
        "127.0.0.1", "127.1", "127.0.1", "0x7f000001", "0x7f.1", "2130706433", "017700000001", "0177.0.0.1",
        "localhost",
        "LOCALHOST", "0.0.0.0", "0", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]",
        "169.254.169.254", "10.1.2.3", "[fe80::1]", "[fd00::1]",
    ])
    func `no spelling of an inner address gets past the guard`(_ host: String) async throws {
        let receiver = try Receiver()
        let url = "http://\(host):\(receiver.port)/latest/meta-data"
        #expect(await reason(HTTPRequest(method: .post, url: url, body: [1], options: guarded())) == .blocked)
        #expect(receiver.requests.isEmpty)
    }

    @Test func `a kept connection is judged again`() async throws {
        let receiver = try Receiver()
        var request = HTTPRequest(method: .get, url: receiver.base, options: guarded(loopback: true))
        #expect(try await client.send(request).status == 200)
        request.options = guarded()
        #expect(await reason(request) == .blocked)
        #expect(receiver.requests.count == 1)
    }

    @Test func `the setting for tests lets loopback through and nothing else`() async throws {
        let receiver = try Receiver()
        let options = guarded(loopback: true)
        #expect(try await client.send(HTTPRequest(method: .get, url: receiver.base, options: options)).status == 200)
        let inner = HTTPRequest(method: .get, url: "http://10.1.2.3/", options: options)
        #expect(await reason(inner) == .blocked)
    }

    @Test func `a guard behind a proxy, which it could not see through, is refused`() async {
        var options = guarded()
        options.proxy = "http://127.0.0.1:3128"
        let request = HTTPRequest(method: .get, url: "http://93.184.216.34/", options: options)
        #expect(await reason(request) == .policyBehindProxy)
    }

    @Test func `a named network is reached although it is an inner one`() async throws {
        let receiver = try Receiver()
        var options = guarded()
        options.addressPolicy = .publicOnly(
            allowingLoopback: false, networks: [try #require(AddressRange("127.0.0.1/32"))])
        #expect(try await client.send(HTTPRequest(method: .get, url: receiver.base, options: options)).status == 200)
        let inner = HTTPRequest(method: .get, url: "http://10.1.2.3/", options: options)
        #expect(await reason(inner) == .blocked)
    }

    @Test func `a network that is named leads to this machine itself only by that one address`() async throws {
        let receiver = try Receiver()
        var options = guarded()
        func policy(_ ranges: String...) throws -> AddressPolicy {
            .publicOnly(allowingLoopback: false, networks: try ranges.map { try #require(AddressRange($0)) })
        }
        options.addressPolicy = try policy("127.0.0.0/8", "0.0.0.0/0", "::/0")
        #expect(await reason(HTTPRequest(method: .get, url: receiver.base, options: options)) == .blocked)
        #expect(!options.addressPolicy.allows(try #require(IPAddress("127.9.9.9"))))
        #expect(!options.addressPolicy.allows(try #require(IPAddress("::1"))))
        #expect(options.addressPolicy.allows(try #require(IPAddress("10.1.2.3"))))
        let single = try policy("127.0.0.1/32", "::1/128")
        #expect(single.allows(try #require(IPAddress("127.0.0.1"))))
        #expect(single.allows(try #require(IPAddress("::1"))))
        #expect(!single.allows(try #require(IPAddress("127.0.0.2"))))
    }

    @Test func `a redirect into the inside is not followed`() async throws {
        let inside = try Receiver()
        let outside = try Receiver { _ in .answer(307, headers: ["Location: \(inside.base)/"]) }
        let request = HTTPRequest(
            method: .post, url: outside.base, body: [1], options: guarded(loopback: true))
        #expect(try await client.send(request).status == 307)
        #expect(inside.requests.isEmpty)
    }

    /// In a process of its own, because the environment belongs to all of a process.
    @Test func `a proxy in the environment does not carry a request past the guard`() async {
        await #expect(processExitsWith: .success) {
            let proxy = try Receiver()
            for name in ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
                unsafe setenv(name, proxy.base, 1)
            }
            let options = TransferOptions(allowedSchemes: [.http])
            let request = HTTPRequest(method: .post, url: "http://10.1.2.3/latest", body: [1], options: options)
            do throws(CurlError) {
                _ = try await HTTPClient().send(request)
                exit(1)
            } catch {
                guard error.reason == .blocked, proxy.requests.isEmpty else { exit(2) }
            }
        }
    }
}
