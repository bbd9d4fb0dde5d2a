import RoostAPI
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
    /// Groups that no endpoint speaks to; whoever keeps them has to be told.
    let groupsWithoutEndpoint: [RowID]

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
        let all = try reader.endpoints().filter { !$0.isForTests }
        endpoints = all.filter { endpoint in
            channels.contains(endpoint.channel)
                && (told?.contains(endpoint.id) ?? endpoint.contactGroup.map(groups.contains) ?? true)
        }
        groupsWithoutEndpoint = groups.subtracting(all.compactMap(\.contactGroup)).sorted()
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

extension RosterReader {
    /// A text field of one live row.
    func text(_ field: FieldName, of row: RowID, in collection: CollectionName) throws -> String? {
        guard let position = catalogue[collection]?.position(of: field) else { return nil }
        return try rows(collection, ids: [row]).first?.values[position].text
    }
}
