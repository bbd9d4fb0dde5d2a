import RoostAPI
import RoostModel
import RoostSchema
import RoostStore
import RoostSync

/// Whom a digest is for, and through which endpoints they are reached; of the people it tells numbers only.
struct DigestAudience {
    let condition: Condition
    let sentence: Label
    let students: Int
    /// Contact groups in which somebody of the audience is.
    let groups: Set<RowID>
    /// Endpoints of those groups, and endpoints that speak to no group in particular.
    let endpoints: [EndpointRecord]

    /// Resolves an audience.
    /// - Throws: ``Refusal`` for a text that is no audience.
    init(_ text: String, channels: [String], _ reader: RosterReader) throws {
        condition = try Self.condition(text, reader.catalogue)
        sentence = reader.catalogue.sentence(of: condition, about: Programme.subject)
        students = try reader.count(Programme.subject, where: condition)
        var groups: Set<RowID> = []
        for row in try reader.rows("contact_group", where: .always) {
            guard let members = try Self.members(of: row, reader) else { continue }
            if try reader.count(Programme.subject, where: .all([condition, members])) > 0 { groups.insert(row.key.id) }
        }
        self.groups = groups
        endpoints = try reader.endpoints().filter { endpoint in
            channels.contains(endpoint.channel) && (endpoint.contactGroup.map(groups.contains) ?? true)
        }
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

    func report(_ all: [EndpointRecord]) -> DigestPreview.Audience {
        let served = Set(all.compactMap(\.contactGroup))
        return DigestPreview.Audience(
            sentenceZH: sentence.zh, sentenceEN: sentence.en, students: students, groups: groups.count,
            groupsWithoutEndpoint: groups.subtracting(served).count)
    }
}

extension RosterReader {
    /// A text field of one live row.
    func text(_ field: FieldName, of row: RowID, in collection: CollectionName) throws -> String? {
        guard let position = catalogue[collection]?.position(of: field) else { return nil }
        return try rows(collection, ids: [row]).first?.values[position].text
    }
}
