/// The identity of one delivery: one part of one digest to one endpoint.
///
/// What its bits mean is the queue's affair.
package struct DeliveryID: Hashable, Sendable {
    package let bits: UInt128

    package init(bits: UInt128) { self.bits = bits }
}

/// The identity of one endpoint.
///
/// What its bits mean is the queue's affair.
package struct EndpointID: Hashable, Sendable {
    package let bits: UInt128

    package init(bits: UInt128) { self.bits = bits }
}

/// The `webhook-id` of a delivery, the same for all its attempts, by which a receiver recognises a repetition.
package struct WebhookID: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ text: String) { description = text }
}
