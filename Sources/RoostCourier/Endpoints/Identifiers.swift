/// The name of one delivery: one part of one digest to one endpoint.
package struct DeliveryID: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ text: String) { description = text }
}

/// The name of one endpoint.
package struct EndpointID: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ text: String) { description = text }
}

/// The `webhook-id` of a delivery, the same for all its attempts, by which a receiver recognises a repetition.
package struct WebhookID: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ text: String) { description = text }
}
