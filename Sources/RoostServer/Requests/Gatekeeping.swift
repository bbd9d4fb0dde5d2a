import HTTPTypes
import Hummingbird
import NIOCore
import RoostAPI
import RoostStore
import RoostSync

/// Who a request comes from, as far as limits are concerned.
struct Gatekeeper: Sendable {
    let store: ServerStore
    let limiter: RateLimiter
    let limits: Limits
    /// Whether a reverse proxy of ours names the sender in `X-Forwarded-For`.
    let trustsForwardedFor: Bool

    /// The sender's network address; of a proxy's list the last entry, the only one the proxy itself vouches for.
    func address(of request: Request, _ context: RoostContext) -> String {
        if trustsForwardedFor, let name = HTTPField.Name("x-forwarded-for"),
            let last = request.headers[name]?.split(separator: ",").last
        {
            return last.trimmingPrefix { $0 == " " }.prefix(64).description
        }
        return context.channel.remoteAddress?.ipAddress ?? "unknown"
    }

    func admitAddress(of request: Request, _ context: RoostContext) throws {
        try limiter.admit(
            "address:" + address(of: request, context), perMinute: limits.requestsPerMinutePerAddress)
    }

    /// The device whose token the request bears.
    func device(of request: Request, _ context: RoostContext) throws -> Device {
        let (device, isRevoked) = try bearer(of: request, context)
        guard !isRevoked else {
            try admitAddress(of: request, context)
            throw Refusal(.deviceRevoked, "the device was revoked")
        }
        try limiter.admit("device:\(device.replica)", perMinute: limits.requestsPerMinutePerDevice)
        return device
    }

    /// The revoked device whose token the request bears: it has one thing left to say.
    func revokedDevice(of request: Request, _ context: RoostContext) throws -> Device {
        let (device, isRevoked) = try bearer(of: request, context)
        try admitAddress(of: request, context)
        guard isRevoked else { throw Refusal(.conflict, "the device was not revoked") }
        return device
    }

    private func bearer(of request: Request, _ context: RoostContext) throws -> (device: Device, isRevoked: Bool) {
        guard let token = DeviceToken(authorization: request.headers[.authorization]),
            let found = try store.device(tokenHash: token.hash)
        else {
            // Guessing counts against the address.
            try admitAddress(of: request, context)
            throw Refusal(.unauthorized, "a device token is needed")
        }
        context.trace.replica = found.device.replica.description
        return found
    }
}

/// Lets in so many requests a minute from one address; for routes that need no token.
struct AddressLimit: RouterMiddleware {
    let gatekeeper: Gatekeeper

    func handle(
        _ request: Request, context: RoostContext, next: @concurrent (Request, RoostContext) async throws -> Response
    ) async throws -> Response {
        try gatekeeper.admitAddress(of: request, context)
        return try await next(request, context)
    }
}

/// Lets in enrolled devices only.
struct DeviceAuthentication: RouterMiddleware {
    let gatekeeper: Gatekeeper

    func handle(
        _ request: Request, context: RoostContext, next: @concurrent (Request, RoostContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.device = try gatekeeper.device(of: request, context)
        return try await next(request, context)
    }
}
