import RoostAPI
import RoostCourier
import RoostSchema
import RoostStore
import RoostSync

/// A digest as one channel sends it, for the endpoints that get the same bytes.
struct DigestRendering: Sendable {
    let channel: Channel
    let keyword: String?
    let rendering: Rendering
    let endpoints: [EndpointRecord]

    /// A delivery for each endpoint and part.
    func frozen(now: Milliseconds) -> [FrozenDelivery] {
        endpoints.flatMap { endpoint in
            rendering.parts.map { part in
                FrozenDelivery(
                    id: RowID(milliseconds: now.value, random: UInt128.random(in: .min ... .max)),
                    endpoint: endpoint.id, part: part.position, parts: rendering.parts.count,
                    contentType: rendering.contentType, body: part.body)
            }
        }
    }
}

extension DigestDesk {
    /// Checks a digest and renders it for each of its channels; a channel without endpoint is rendered too, to be seen.
    static func renderings(
        of digest: DigestRow, _ reader: RosterReader, now: Milliseconds
    ) throws -> [DigestRendering] {
        let audience = try DigestAudience(digest.audience, channels: digest.channels, reader)
        return try renderings(of: digest, for: audience, reader, now: now)
    }

    static func renderings(
        of digest: DigestRow, for audience: DigestAudience, _ reader: RosterReader, now: Milliseconds
    ) throws -> [DigestRendering] {
        guard let sections = digest.sections, sections.contains(where: { !$0.items.isEmpty }) else {
            throw Refusal(.invalidDigest, reason: "empty", Label("还没有内容。", "the digest has no items"))
        }
        let content = DigestContent(reader: reader, now: now)
        try content.check(sections.flatMap(\.items))
        let message = try content.message(of: digest, sections)
        let usable = audience.endpoints.filter { $0.state != .disabled }
        return try digest.channels.compactMap(Channel.init(rawValue:)).flatMap { channel in
            let endpoints = usable.filter { $0.channel == channel.rawValue }
            let keywords = Set(endpoints.map(\.keyword)).sorted { ($0 ?? "") < ($1 ?? "") }
            return try (keywords.isEmpty ? [nil] : keywords).map { keyword in
                DigestRendering(
                    channel: channel, keyword: keyword,
                    rendering: try rendered(
                        message, for: channel,
                        RenderingContext(
                            keyword: keyword, digest: digest.id.description,
                            frozenAt: Moment(milliseconds: now.value))),
                    endpoints: endpoints.filter { $0.keyword == keyword })
            }
        }
    }

    private static func rendered(
        _ message: Message, for channel: Channel, _ context: RenderingContext
    ) throws(Refusal) -> Rendering {
        do throws(RenderingError) {
            return try message.rendered(for: channel, in: context)
        } catch {
            throw Refusal(
                .invalidDigest, reason: error.code,
                Label(
                    "无法生成 \(channel.rawValue) 消息（\(error.code)）。",
                    "it cannot be rendered for \(channel.rawValue): \(error.code)"))
        }
    }
}
