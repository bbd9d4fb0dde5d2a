/// Who is shown what: the small county's visibility in plain words.
extension ReferenceModel {
    enum Sight { case hidden, masked, full }

    /// The scopes somebody holds: what everybody has, and what each role brings.
    func held(by officer: String, at moment: Int64) -> Set<String> {
        var scopes: Set<String> = ["commons"]
        for grant in tenures where grant.role != nil && grant.about == officer && grant.holds(at: moment) {
            scopes.formUnion(Self.scopes(of: grant))
        }
        return scopes
    }

    static func scopes(of grant: Tenure) -> Set<String> {
        let office = "office:\(grant.about)"
        switch grant.role {
        case "registrar": return ["county", office]
        case "liaison": return ["care:\(grant.about)", office]
        case "mentor": return ["mentoring:\(grant.about)", office]
        case "coordinator": return grant.target.map { ["chapter:\($0)", office] } ?? [office]
        default: return []
        }
    }

    /// The scopes to which a student is linked: the liaison officer and mentors who have them now, and the chapters they
    /// are members of, which minors are kept out of.
    func links(of student: String) -> Set<String> {
        guard let record = rows[Place(kind: "student", id: student)] else { return [] }
        var scopes: Set<String> = []
        for place in about[student] ?? [] {
            guard let row = rows[place], !row.isDeleted else { continue }
            if let scope = link(place, row), admits(scope, record) { scopes.insert(scope) }
        }
        return scopes
    }

    /// The scope into which a row takes its student.
    private func link(_ place: Place, _ row: Record) -> String? {
        guard row.value("state") == .text("active") else { return nil }
        if place.kind == "membership" { return row.id("chapter").map { "chapter:\($0)" } }
        guard place.kind == "liaison", let officer = row.id("officer") else { return nil }
        return row.value("kind") == .text("mentor") ? "mentoring:\(officer)" : "care:\(officer)"
    }

    func admits(_ scope: String, _ student: Record) -> Bool {
        !scope.hasPrefix("chapter:") || student.value("minor") == .flag(false)
    }

    /// Whether a scope to which a row's student is linked shows the row.
    func isOpen(_ scope: String, to place: Place, _ row: Record) -> Bool {
        let kind = scope.prefix { $0 != ":" }
        let isActive = row.value("state") == .text("active")
        let isPrivate = row.value("private") == .flag(true)
        switch place.kind {
        case "student": return true
        case "membership":
            return kind == "care" || kind == "chapter" && isActive && scope == "chapter:\(row.id("chapter") ?? "")"
        case "liaison": return kind != "chapter" || isActive
        case "touch": return kind == "care" || (kind == "mentoring") == isPrivate
        default: return false
        }
    }

    /// All scopes that hold a row.
    func scopes(of place: Place, _ row: Record) -> Set<String> {
        switch place.kind {
        case "student":
            return links(of: place.id).union(["county"])
        case "membership", "liaison", "touch":
            var scopes = links(of: row.id("student") ?? "").filter { isOpen($0, to: place, row) }
            if place.kind != "touch" || row.value("private") != .flag(true) { scopes.insert("county") }
            return scopes
        case "officer", "chapter": return ["county", "commons"]
        case "appointment": return ["county", "office:\(row.id("officer") ?? "")"]
        case "conflict":
            guard let kind = row.id("concerned_collection"), let id = row.id("concerned_row"),
                let field = row.id("concerned_field")
            else { return [] }
            let concerned = Place(kind: kind, id: id)
            guard let about = rows[concerned] else { return [] }
            return scopes(of: concerned, about).filter { sight(of: field, concerned, about, in: $0) == .full }
        case "parallel_edit": return scopes(ofParallel: row)
        case "quarantine": return scopes(ofSetAside: row)
        default: return []
        }
    }

    /// How much of a field a scope shows.
    func sight(of field: String, _ place: Place, _ row: Record, in scope: String) -> Sight {
        guard knows(place.kind, field) else { return scope == "county" ? .full : .hidden }
        guard place.kind == "student" else { return .full }
        let kind = scope.prefix { $0 != ":" }
        switch Rulebook.group("student", field) {
        case "main": return .full
        case "contact" where kind == "chapter": return row.value("shared") == .flag(true) ? .full : .masked
        default: return kind == "county" || kind == "care" ? .full : .hidden
        }
    }

    /// Whether whoever holds these scopes may see a field's values.
    func mayRead(_ field: String, _ place: Place, holding held: Set<String>) -> Bool {
        if let row = rows[place],
            scopes(of: place, row).contains(where: {
                held.contains($0) && sight(of: field, place, row, in: $0) == .full
            })
        {
            return true
        }
        // Who sees an edit set aside reads what it would set, which for a creation is all there is of the row.
        return rows.contains { key, row in
            guard key.kind == "quarantine", let (concerned, changes) = Self.setAside(row) else { return false }
            return concerned == place && changes.contains { $0.field == field }
                && !scopes(of: key, row).isDisjoint(with: held)
        }
    }

    struct Shown: Hashable, CustomStringConvertible {
        var value: Plain
        var isMasked: Bool

        var description: String { isMasked ? "\(value)(masked)" : "\(value)" }
    }

    /// A live row as the scopes held show it together; nil where none of them has it.
    func shown(_ place: Place, holding held: Set<String>) -> [String: Shown]? {
        guard let row = rows[place], !row.isDeleted else { return nil }
        let scopes = scopes(of: place, row).intersection(held)
        guard !scopes.isEmpty else { return nil }
        var fields: [String: Shown] = [:]
        for (field, cell) in row.cells where cell.value != .nothing {
            let sights = scopes.map { sight(of: field, place, row, in: $0) }
            if sights.contains(.full) {
                fields[field] = Shown(value: cell.value, isMasked: false)
            } else if sights.contains(.masked) {
                let masked = Rulebook.mask(field, cell.value)
                if masked != .nothing { fields[field] = Shown(value: masked, isMasked: true) }
            }
        }
        return fields
    }

    /// Everything somebody's device must show, and nothing else.
    func view(of officer: String, at moment: Int64) -> [Place: [String: Shown]] {
        let held = held(by: officer, at: moment)
        var view: [Place: [String: Shown]] = [:]
        for place in rows.keys {
            if let fields = shown(place, holding: held) { view[place] = fields }
        }
        return view
    }
}
