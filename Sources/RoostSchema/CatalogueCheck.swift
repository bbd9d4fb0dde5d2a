/// A pure check of a declaration, so that a mistake shows in a test and not as a row that nobody ever receives.
extension Catalogue {
    /// Everything wrong with the declaration, in the order it is written; empty for one that may be served.
    package var problems: [CatalogueProblem] {
        var report = ProblemReport()
        report.unique(collections.map(\.name.text), "collections")
        for collection in collections { check(collection, &report) }
        checkScopesAndRoles(&report)
        checkAuthority(&report)
        for facet in facets { check(facet, &report) }
        report.unique(facets.map(\.name), "facets")
        for template in templates { check(template, &report) }
        return report.problems
    }

    private func check(_ collection: Collection, _ report: inout ProblemReport) {
        let place = collection.name.text
        report.name(collection.name, place)
        report.label(collection.label, place)
        report.unique(collection.fields.map(\.name.text), place)
        for field in collection.fields { check(field, of: collection, &report) }

        if let subject = collection.subject {
            if collection[subject]?.target == nil { report.add(.wrongReference, "\(place) subject \(subject)") }
        }
        for name in collection.needsOneOf.reduce(collection.fixed, { $0.union($1) }) {
            report.field(name.text, in: collection, place)
        }
        for limit in collection.limits { check(limit, of: collection, &report) }
        for effect in collection.effects {
            // A row that can change might take its effect back, and nobody would.
            if collection.syncClass != .appendOnly { report.add(.effectOfChangingRow, place) }
            for name in effect.when.names { report.field(name, in: collection, place) }
            guard let target = collection.subject.flatMap({ collection[$0]?.target }), let about = self[target] else {
                report.add(.wrongReference, "\(place) effect")
                continue
            }
            report.values([effect.set: effect.to], of: about, place)
        }

        if let expiry = collection.expiry {
            let names = expiry.when.names.union(
                [expiry.after.text] + (expiry.same + [expiry.order].compactMap(\.self)).map(\.text))
            for name in names.sorted() { report.field(name, in: collection, place) }
            report.values([expiry.set: expiry.to], of: collection, place)
            // Which of several rows is the newest is asked of those about one other row.
            if collection.syncClass == .appendOnly,
                expiry.order == nil || collection.subject.map({ !expiry.same.contains($0) }) ?? true
            {
                report.add(.wrongReference, "\(place) expiry")
            }
        }

        // Headers decide which column becomes which field, so none may mean two.
        var owners: [String: FieldName] = [:]
        for field in collection.fields where field.derivation == nil {
            for header in Set([field.label.zh, field.label.en] + field.headers) {
                if let owner = owners.updateValue(field.name, forKey: header), owner != field.name {
                    report.add(.duplicateHeader, "\(place): \(header)")
                }
            }
        }
    }

    private func check(_ field: Field, of collection: Collection, _ report: inout ProblemReport) {
        let place = "\(collection.name).\(field.name)"
        report.name(field.name, place)
        report.label(field.label, place)
        if !field.group.isWellFormed { report.add(.illFormedName, "\(place) group") }
        if let target = field.target { report.collection(target, in: self, place) }
        if !field.initial.isNull, field.kind.problem(with: field.initial) != nil { report.add(.invalidValue, place) }
        var meanings: [String: String] = [:]
        for code in field.codes {
            report.label(code.label, place)
            for word in Set(([code.value, code.label.zh, code.label.en] + code.synonyms).map { $0.lowercased() }) {
                if meanings.updateValue(code.value, forKey: word) != nil {
                    report.add(.ambiguousCode, "\(place): \(word)")
                }
            }
        }
        if case .rank(let values, let reopens) = field.merge {
            let codes = Set(field.codes.map(\.value))
            if !codes.isSuperset(of: values) || !values.contains(reopens) { report.add(.rankOutsideCodes, place) }
        }
        switch field.derivation {
        case nil: break
        case .latest(let source, let via, let when, let order, let take):
            guard let from = report.collection(source, in: self, place) else { return }
            if from[via]?.target != collection.name { report.add(.wrongReference, "\(place) via \(via)") }
            for name in when.names.union(order.map(\.text)).union([take.text]) { report.field(name, in: from, place) }
        case .younger(_, let birth, let presumed):
            for name in presumed.names.union([birth.text]) { report.field(name, in: collection, place) }
        }
    }

    private func check(_ limit: Limit, of collection: Collection, _ report: inout ProblemReport) {
        let place = "\(collection.name) limit \(limit.name)"
        if collection.syncClass == .register { report.add(.limitOnRegister, place) }
        for name in limit.when.names.union([limit.per.text]) { report.field(name, in: collection, place) }
        report.values(limit.otherwise, of: collection, place)
        if case .field(let name) = limit.maximum {
            if let target = collection[limit.per]?.target, let other = self[target] {
                report.field(name.text, in: other, place)
            } else {
                report.add(.wrongReference, place)
            }
        }
    }

    private func checkAuthority(_ report: inout ProblemReport) {
        guard let collection = report.collection(authority.collection, in: self, "authority") else { return }
        for name in authority.when.names.union([authority.officer.text, authority.target.text, authority.role.text]) {
            report.field(name, in: collection, "authority")
        }
        // A grant of a role that nobody declared would silently grant nothing.
        for code in collection[authority.role]?.codes ?? [] where self[role: RoleName(code.value)] == nil {
            report.add(.unknownRole, "authority: \(code.value)")
        }
        if self[scope: commons]?.key != nil || self[scope: commons] == nil {
            report.add(.unknownScope, "commons \(commons)")
        }
    }

    private func check(_ facet: Facet, _ report: inout ProblemReport) {
        let place = "facet \(facet.name)"
        report.label(facet.label, place)
        guard let collection = report.collection(facet.collection, in: self, place) else { return }
        for name in facet.when.names.union([facet.field.text]) { report.field(name, in: collection, place) }
        if let via = facet.via, collection[via]?.target == nil { report.add(.wrongReference, place) }
        if facet.through != nil, field(of: facet) == nil { report.add(.unknownField, place) }
    }
}

/// Problems found so far, with the checks that every part of a declaration needs.
struct ProblemReport {
    private(set) var problems: [CatalogueProblem] = []

    mutating func add(_ code: CatalogueProblem.Code, _ place: String) {
        problems.append(CatalogueProblem(code, place))
    }

    mutating func name<Declared>(_ name: Name<Declared>, _ place: String) {
        if !name.isWellFormed { add(.illFormedName, place) }
        if ReservedNames.contains(name.text) { add(.reservedName, place) }
    }

    mutating func label(_ label: Label, _ place: String) {
        if label.zh.isEmpty || label.en.isEmpty { add(.missingLabel, place) }
    }

    mutating func unique(
        _ names: [String], _ place: String, or code: CatalogueProblem.Code = .duplicateName
    ) {
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted { add(code, "\(place): \(name)") }
    }

    @discardableResult
    mutating func collection(_ name: CollectionName, in catalogue: Catalogue, _ place: String) -> Collection? {
        let collection = catalogue[name]
        if collection == nil { add(.unknownCollection, "\(place): \(name)") }
        return collection
    }

    mutating func field(_ name: String, in collection: Collection, _ place: String) {
        if collection.position(of: name) == nil { add(.unknownField, "\(place): \(collection.name).\(name)") }
    }

    mutating func values(_ values: [FieldName: Value], of collection: Collection, _ place: String) {
        for (name, value) in values {
            guard let field = collection[name] else {
                add(.unknownField, "\(place): \(collection.name).\(name)")
                continue
            }
            if !value.isNull, field.kind.problem(with: value) != nil { add(.invalidValue, "\(place): \(name)") }
        }
    }
}
