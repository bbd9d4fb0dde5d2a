import RoostAPI
import RoostCourier
import RoostModel
import RoostSchema
import RoostStore
import RoostSync

/// Whom a digest is for, and through which endpoints they are reached; of the people it tells numbers only.
struct DigestAudience {
    let condition: Condition
    let sentence: Label
    let students: [RowID]
    /// Contact groups in which somebody of the audience is.
    let groups: Set<RowID>
    /// Officers who answer for somebody of the audience.
    let officers: Set<RowID>
    /// Endpoints of those groups, and endpoints that speak to no group in particular.
    let endpoints: [EndpointRecord]
    /// Groups that no machine speaks to: where the digest goes by hand too, somebody posts in each of them.
    let groupsWithoutEndpoint: [RowID]
    /// Those of the endpoints that stand for somebody who posts in such a group; kept when the digest is frozen.
    let people: [EndpointRecord]

    /// Resolves the audience of a digest; a correction goes to those who got what it corrects.
    /// - Throws: ``Refusal`` for a text that is no audience.
    init(of digest: DigestRow, _ reader: RosterReader) throws {
        try self.init(digest.audience, channels: digest.channels, correcting: digest.corrects, reader)
    }

    init(_ text: String, channels: [String], correcting corrected: RowID? = nil, _ reader: RosterReader) throws {
        condition = try Self.condition(text, reader.catalogue)
        sentence = reader.catalogue.sentence(of: condition, about: Programme.subject)
        students = try reader.ids(Programme.subject, where: condition)
        var groups: Set<RowID> = []
        for row in try reader.rows("contact_group", where: .always) {
            guard let members = try Self.members(of: row, reader) else { continue }
            if try reader.count(Programme.subject, where: .all([condition, members])) > 0 { groups.insert(row.key.id) }
        }
        self.groups = groups
        officers = try Self.officers(answeringFor: Set(students), reader)
        let told = try corrected.map { corrected in
            Set(
                try reader.deliveries(of: corrected)
                    .filter { ![.frozen, .failed, .expired, .cancelled].contains($0.state) }.map(\.endpoint))
        }
        let known = try reader.endpoints()
        let all = known.filter {
            !$0.isForTests && !$0.isForNotices && !$0.isUnsubscribed && !$0.isRetired && !$0.isPersonInGroup
        }
        groupsWithoutEndpoint = groups.subtracting(all.compactMap(\.contactGroup)).sorted()
        people =
            channels.contains(Channel.manual.rawValue)
            ? try Self.people(in: groupsWithoutEndpoint, known, reader).filter { told?.contains($0.id) ?? true } : []
        endpoints =
            all.filter { endpoint in
                channels.contains(endpoint.channel)
                    && (told?.contains(endpoint.id) ?? endpoint.contactGroup.map(groups.contains) ?? true)
            } + people
    }

    /// An endpoint for whoever posts in each of these groups, as it is kept or is to be; one that is paused is left out.
    private static func people(
        in groups: [RowID], _ known: [EndpointRecord], _ reader: RosterReader
    ) throws -> [EndpointRecord] {
        let byID = Dictionary(uniqueKeysWithValues: known.map { ($0.id, $0) })
        let owners = Dictionary(uniqueKeysWithValues: known.map { ($0.name, $0.id) })
        var names: Set<String> = []
        return try groups.compactMap { group in
            let id = EndpointRecord.person(in: group)
            var record =
                byID[id]
                ?? EndpointRecord(
                    id: id, name: "", channel: Channel.manual.rawValue, contactGroup: group, state: .active)
            guard record.state == .active else { return nil }
            let name = try reader.text("name", of: group, in: "contact_group") ?? group.description
            let isFree = owners[name].map { $0 == id } ?? true
            record.name = isFree && names.insert(name).inserted ? name : "\(name)（\(group.description.suffix(4))）"
            return record
        }
    }

    private static func officers(answeringFor students: Set<RowID>, _ reader: RosterReader) throws -> Set<RowID> {
        var officers: Set<RowID> = []
        try reader.scan("liaison", ["student", "officer", "state"]) { _, values in
            guard values[2] == "active", let student = values[0].id, let officer = values[1].id,
                students.contains(student)
            else { return }
            officers.insert(officer)
        }
        return officers
    }

    /// What is kept of it with a digest.
    func record(now: Milliseconds) -> AudienceRecord {
        AudienceRecord(
            sentence: sentence, students: students.count, frozenAt: now,
            members: [
                Programme.subject: students, "contact_group": groups.sorted(), "officer": officers.sorted(),
            ])
    }

    /// The stored form of an audience.
    static func condition(_ text: String, _ catalogue: Catalogue) throws -> Condition {
        do throws(AudienceProblem) {
            return try catalogue.audience(text, about: Programme.subject)
        } catch {
            let detail: Label =
                switch error {
                case .syntax(let problem):
                    Label("受众条件第 \(problem.position + 1) 个字符处有误。", "the audience has an error at \(problem.position)")
                case .unknownName(let name): Label("受众条件中没有“\(name)”。", "the audience has an unknown name: \(name)")
                case .unknownWord(let name, let word):
                    Label("“\(name)”没有取值“\(word)”。", "\(name) has no value \(word)")
                case .wrongComparison(let name):
                    Label("“\(name)”不能这样比较。", "\(name) cannot be compared like this")
                }
            throw Refusal(.invalidDigest, reason: error.code, detail)
        }
    }

    /// Who is in a group, as far as it says by chapter, school and cohort; nil for a group that says nothing.
    private static func members(of row: RoostSync.Row, _ reader: RosterReader) throws -> Condition? {
        guard let declaration = reader.catalogue["contact_group"] else { return nil }
        func value(_ field: FieldName) -> Value { declaration.position(of: field).map { row.values[$0] } ?? .null }
        var parts: [Condition] = []
        if let chapter = value("chapter").id {
            guard let name = try reader.text("name", of: chapter, in: "chapter") else { return nil }
            parts.append(.compare("chapter", .equal, .value(.text(name))))
        }
        if let school = value("school").id { parts.append(.field("school", is: .id(school))) }
        if let cohort = value("cohort").integer { parts.append(.field("cohort", is: .integer(cohort))) }
        return parts.isEmpty ? nil : .all(parts)
    }

    /// What is told of it: numbers, names of groups, and of people only rows that whoever asks holds.
    func report(_ reader: RosterReader, sample: [RowID], unaffected: [EndpointRecord]) throws -> DigestPreview.Audience
    {
        DigestPreview.Audience(
            sentenceZH: sentence.zh, sentenceEN: sentence.en, students: students.count, groups: groups.count,
            groupsWithoutEndpoint: groupsWithoutEndpoint.count,
            namesWithoutEndpoint: try groupsWithoutEndpoint.prefix(50).compactMap { group in
                try reader.text("name", of: group, in: "contact_group")
            }, officers: officers.count, sample: sample.map(\.description), unaffected: unaffected.map(\.name),
            waiting: endpoints.filter { $0.state != .active }.map(\.name))
    }
}

extension EndpointRecord {
    /// The identity of the endpoint for whoever posts by hand in a group that no machine speaks to.
    static func person(in group: RowID) -> RowID { RowID(naming: "person in group", group.description) }

    /// Whether it is such an endpoint.
    var isPersonInGroup: Bool { contactGroup.map { Self.person(in: $0) == id } ?? false }
}

extension RosterReader {
    /// A text field of one live row.
    func text(_ field: FieldName, of row: RowID, in collection: CollectionName) throws -> String? {
        guard let position = catalogue[collection]?.position(of: field) else { return nil }
        return try rows(collection, ids: [row]).first?.values[position].text
    }
}
