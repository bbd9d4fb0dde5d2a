import Crypto
import RoostAPI
import RoostCourier
import RoostSchema
import RoostStore
import RoostSync

/// A digest as some endpoints of one channel get it, byte for byte the same.
struct DigestRendering: Sendable {
    let channel: Channel
    let keyword: String?
    let rendering: Rendering
    let entries: [DigestContent.Entry]
    var endpoints: [EndpointRecord]

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

    /// What the endpoints are told by it.
    var told: [ToldItem] {
        let parts = rendering.parts.flatMap { Array(repeating: $0.position, count: $0.items) }
        return endpoints.flatMap { endpoint in
            zip(entries, parts).map { entry, part in
                ToldItem(
                    endpoint: endpoint.id, collection: entry.item.collection, item: entry.item.id,
                    version: entry.version, fingerprint: entry.fingerprint, part: part)
            }
        }
    }
}

/// A digest as all its channels send it.
struct DigestRenderings: Sendable {
    var renderings: [DigestRendering] = []
    /// Endpoints of the audience that get nothing: all of it was told there before, or is of no topic of theirs.
    var unaffected: [EndpointRecord] = []

    /// Checks a digest and renders it; a channel without endpoint is rendered too, to be seen.
    init(
        of digest: DigestRow, for audience: DigestAudience, _ reader: RosterReader, now: Milliseconds
    ) throws {
        let sections = try Self.sections(of: digest)
        let content = DigestContent(reader: reader, now: now)
        try content.check(sections.flatMap(\.items))
        let told = digest.isRepetition ? [:] : try reader.told(except: digest.id)
        var composers: [RoleName?: Composer] = [:]
        for role in Set(audience.endpoints.map(\.payloadRole) + [nil]) {
            composers[role] = try Composer(digest, sections, content, readBy: role, told: told, now: now)
        }
        for channel in digest.channels.compactMap(Channel.init(rawValue:)) {
            let endpoints = audience.endpoints.filter { $0.channel == channel.rawValue }
            var places: [Composer.Variant: Int] = [:]
            for endpoint in endpoints {
                guard let composer = composers[endpoint.payloadRole] else { continue }
                let variant = composer.variant(for: endpoint)
                guard !variant.marks.isEmpty || digest.speaksWithoutItems else {
                    unaffected.append(endpoint)
                    continue
                }
                if let place = places[variant] {
                    renderings[place].endpoints.append(endpoint)
                } else {
                    places[variant] = renderings.count
                    renderings.append(try composer.rendering(variant, on: channel, endpoints: [endpoint]))
                }
            }
            if endpoints.isEmpty, let composer = composers[nil] {
                renderings.append(try composer.rendering(composer.whole, on: channel, endpoints: []))
            }
        }
    }

    private static func sections(of digest: DigestRow) throws(Refusal) -> [DigestRow.Section] {
        guard let sections = digest.sections,
            digest.speaksWithoutItems || sections.contains(where: { !$0.items.isEmpty })
        else {
            throw digest.kind == "correction"
                ? .emptyCorrection
                : Refusal(.invalidDigest, reason: "empty", Label("还没有内容。", "the digest has no items"))
        }
        return sections
    }

    /// A digest as an endpoint for tests gets it, whatever was told there before.
    static func trial(
        of digest: DigestRow, at endpoint: EndpointRecord, _ reader: RosterReader, now: Milliseconds
    ) throws -> Rendering {
        let sections = try Self.sections(of: digest)
        guard let channel = Channel(rawValue: endpoint.channel) else { throw Refusal(.notFound, "no such endpoint") }
        let composer = try Composer(
            digest, sections, DigestContent(reader: reader, now: now), readBy: endpoint.payloadRole, told: [:],
            now: now)
        return try composer.rendering(composer.variant(for: endpoint), on: channel, endpoints: [endpoint]).rendering
    }

    /// Stands for what is told in which versions, to how many students and where: another one where any of it differs.
    func mark(of audience: DigestAudience) -> String {
        var lines = ["\(audience.students.count)"]
        for rendering in renderings {
            lines.append("\(rendering.channel.rawValue) \(rendering.keyword ?? "")")
            lines += rendering.endpoints.map(\.id.description).sorted()
            lines += rendering.entries.map { "\($0.item.id) \($0.version)" }
            // What one endpoint has been told before is said otherwise, and so is everything in another form. A webhook's
            // payload holds the moment too, of which all are of one length.
            lines += rendering.rendering.parts.map { part in
                rendering.channel == .generic ? "\(part.contentBytes)" : part.content
            }
        }
        return String(hexadecimal(Array(SHA256.hash(data: Array(lines.joined(separator: "\n").utf8)))).prefix(12))
    }

    /// How many deliveries it makes.
    var deliveries: Int { renderings.reduce(0) { $0 + $1.endpoints.count * $1.rendering.parts.count } }
}

/// Makes of one digest what each endpoint is to read.
private struct Composer {
    /// What makes one endpoint's message differ from another's.
    struct Variant: Hashable {
        /// The items it gets, by place, and whether each is marked as changed.
        let marks: [Int: Bool]
        let keyword: String?
        let form: String?
        let role: RoleName?
    }

    let digest: DigestRow
    /// Whose sight of rows the message has.
    let role: RoleName?
    let sections: [(section: DigestRow.Section, entries: [DigestContent.Entry])]
    /// By endpoint and item, the fingerprint of what was said last.
    let told: [RowID: [RowID: [UInt8]]]
    let now: Milliseconds

    init(
        _ digest: DigestRow, _ sections: [DigestRow.Section], _ content: DigestContent, readBy role: RoleName?,
        told: [RowID: [RowID: [UInt8]]], now: Milliseconds
    ) throws {
        self.digest = digest
        self.role = role
        let sight = OutwardSight(role, content.reader.catalogue)
        self.sections = try sections.map { ($0, try content.entries($0.items, for: sight)) }
        self.told = told
        self.now = now
    }

    private var entries: [DigestContent.Entry] { sections.flatMap(\.entries) }

    /// Everything, for nobody in particular.
    var whole: Variant {
        Variant(
            marks: Dictionary(uniqueKeysWithValues: entries.indices.map { ($0, false) }), keyword: nil, form: nil,
            role: role)
    }

    /// What an endpoint has not been told before, or not like this, of the topics it takes.
    func variant(for endpoint: EndpointRecord) -> Variant {
        var marks: [Int: Bool] = [:]
        for (index, entry) in entries.enumerated() where endpoint.takes(entry.section) {
            let before = told[endpoint.id]?[entry.item.id]
            if before != entry.fingerprint { marks[index] = before != nil }
        }
        return Variant(marks: marks, keyword: endpoint.keyword, form: endpoint.form, role: role)
    }

    func rendering(
        _ variant: Variant, on channel: Channel, endpoints: [EndpointRecord]
    ) throws(Refusal) -> DigestRendering {
        var context = RenderingContext(
            keyword: variant.keyword, form: variant.form.flatMap(MessageForm.init(rawValue:)),
            digest: digest.id.description, frozenAt: Moment(milliseconds: now.value))
        let message = message(variant)
        // A form of nothing but links cannot show what has none; the usual one can.
        if case .missingLink = message.problem(on: channel, in: context) { context.form = nil }
        do throws(RenderingError) {
            return DigestRendering(
                channel: channel, keyword: variant.keyword,
                rendering: try message.rendered(for: channel, in: context),
                entries: variant.marks.keys.sorted().map { entries[$0] }, endpoints: endpoints)
        } catch {
            let problem = RenderingProblem(error, of: message, on: channel, endpoints: endpoints)
            throw Refusal(.invalidDigest, reason: error.code, problem.label)
        }
    }

    private func message(_ variant: Variant) -> Message {
        var index = 0
        let sections = self.sections.map { section, entries in
            var items: [Message.Item] = []
            for entry in entries {
                if let isChanged = variant.marks[index] {
                    var item = entry.message
                    if isChanged { item.title = "【更新】" + item.title }
                    items.append(item)
                }
                index += 1
            }
            return Message.Section(title: section.title, items: items)
        }
        return Message(headline: digest.headline, summary: digest.intro, sections: sections)
    }
}
