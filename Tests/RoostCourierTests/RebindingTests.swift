import CRebinding
import Curl
import Testing

/// Names that mean another address the second time.
@Suite struct RebindingTests {
    /// Lets exactly 127.0.0.1 pass for an address outside; 127.0.0.2 is this machine and inside.
    private func options(connectTimeout: Duration) throws -> TransferOptions {
        TransferOptions(
            connectTimeout: connectTimeout, totalTimeout: .seconds(120), allowedSchemes: [.http],
            addressPolicy: .publicOnly(allowingLoopback: false, networks: [try #require(AddressRange("127.0.0.1/32"))]))
    }

    private func send(
        _ url: String, by client: HTTPClient, connectTimeout: Duration = .seconds(60)
    ) async throws -> Result<Int, CurlError> {
        let request = HTTPRequest(
            method: .post, url: url, body: [1], options: try options(connectTimeout: connectTimeout))
        do throws(CurlError) { return .success(try await client.send(request).status) } catch { return .failure(error) }
    }

    private func expectBlocked(_ result: Result<Int, CurlError>) {
        let error = #expect(throws: CurlError.self) { try result.get() }
        #expect(error?.reason == .blocked)
        #expect(error?.surelyNotSent == true)
    }

    @Test func `a name that leads outside at first and inside when it is connected to reaches nobody inside`()
        async throws
    {
        // Listens on every address, as a service of this machine would.
        let receiver = try Receiver(onEveryAddress: true)
        let name = "moving.rebinding.test"
        let url = "http://\(name):\(receiver.port)/"
        unsafe rebinding_set(name, "127.0.0.1")
        let client = HTTPClient()
        #expect(try await send(url, by: client).get() == 200)
        unsafe rebinding_set(name, "127.0.0.2")
        // The kept connection leads where it led before; should it be too old by now, the new one is refused.
        switch try await send(url, by: client) {
        case .success(let status): #expect(status == 200 && receiver.requests.count == 2)
        case .failure(let error): #expect(error.reason == .blocked && receiver.requests.count == 1)
        }
        let before = receiver.requests.count
        expectBlocked(try await send(url, by: HTTPClient()))
        #expect(unsafe rebinding_lookups(name) > 0, "nobody asked for the name")
        #expect(receiver.requests.count == before)
        unsafe rebinding_set(name, nil)
    }

    @Test func `of a name with many addresses the inner ones are left out, and alone they are nothing`() async throws {
        let receiver = try Receiver(onEveryAddress: true)
        let name = "many.rebinding.test"
        let url = "http://\(name):\(receiver.port)/"
        unsafe rebinding_set(name, "127.0.0.2,127.0.0.3,127.0.0.1")
        // After some that are refused, libcurl waits for half of the time before it tries another.
        let limit = Duration.seconds(16)
        #expect(try await send(url, by: HTTPClient(), connectTimeout: limit).get() == 200)
        unsafe rebinding_set(name, "127.0.0.2,127.0.0.3,10.0.0.1,169.254.169.254")
        expectBlocked(try await send(url, by: HTTPClient(), connectTimeout: limit))
        #expect(receiver.requests.map { $0.values(of: "host") } == [["\(name):\(receiver.port)"]])
        unsafe rebinding_set(name, nil)
    }

    @Test(arguments: ["127.0.0.2,127.0.0.1", "::1,127.0.0.1"])
    func `a first address that refuses does not cost the time that one which is silent may take`(_ addresses: String)
        async throws
    {
        let receiver = try Receiver()
        let name = "refusing-\(addresses.utf8.count).rebinding.test"
        unsafe rebinding_set(name, addresses)
        let request = HTTPRequest(
            method: .post, url: "http://\(name):\(receiver.port)/", body: [1],
            options: TransferOptions(
                connectTimeout: .seconds(60), totalTimeout: .seconds(120), allowedSchemes: [.http],
                addressPolicy: .publicOnly(allowingLoopback: true)))
        let response = try await HTTPClient().send(request)
        #expect(response.status == 200)
        // Half of the minute is what each of two addresses may take.
        #expect(response.timings.connected < .seconds(20))
        unsafe rebinding_set(name, nil)
    }

    @Test func `a connection that was kept is judged by where it leads now that the rules are others`() async throws {
        let receiver = try Receiver(onEveryAddress: true)
        let name = "kept.rebinding.test"
        unsafe rebinding_set(name, "127.0.0.1")
        let client = HTTPClient()
        let url = "http://\(name):\(receiver.port)/"
        #expect(try await send(url, by: client).get() == 200)
        let strict = HTTPRequest(
            method: .post, url: url, body: [1],
            options: TransferOptions(allowedSchemes: [.http], addressPolicy: .publicOnly(allowingLoopback: false)))
        let error = await #expect(throws: CurlError.self) { try await client.send(strict) }
        #expect(error?.reason == .blocked)
        #expect(receiver.requests.count == 1)
        unsafe rebinding_set(name, nil)
    }
}
