import RoostSchema

/// One line of the list of administrative divisions.
package struct Division: Hashable, Sendable {
    /// GB/T 2260: six digits, nine for a town.
    package let code: String
    package let name: String
    /// Code of the division it belongs to, empty for a province.
    package let parent: String

    /// Names a division.
    package init(code: String, name: String, parent: String) {
        self.code = code
        self.name = name
        self.parent = parent
    }
}

extension NameIndex {
    /// Builds an index that understands how people of one county write places.
    ///
    /// At home a town goes by its bare name (沙坪), by the old sort of its name (沙坪镇), and behind the county's name
    /// (鹤山沙坪, 鹤山市沙坪街道). Elsewhere a division goes by its name, bare name, or both behind its parent's. A name
    /// shared by several divisions means the one at home, then the one in the same prefecture, else none.
    /// - Parameters:
    ///   - divisions: the whole list.
    ///   - home: code of the county whose people the sheets are about.
    package init(divisions: [Division], home: String) {
        self.init()
        let byCode = Dictionary(divisions.map { ($0.code, $0) }, uniquingKeysWith: { first, _ in first })
        let prefecture = byCode[home]?.parent
        func distance(_ division: Division) -> Int {
            if division.code == home || division.parent == home { return 0 }
            if division.parent == prefecture || byCode[division.parent]?.parent == prefecture { return 1 }
            return 2
        }
        for rank in 0...2 {
            var group = NameIndex()
            var names: [(String, Value)] = []
            for division in divisions where distance(division) == rank {
                let value = Value.text(division.code)
                for name in Self.spellings(of: division, parent: byCode[division.parent]) {
                    group.add(name, for: value)
                    names.append((name, value))
                }
            }
            for (name, value) in names where group.value(for: name) == value { addIfFree(name, for: value) }
        }
    }

    private static func spellings(of division: Division, parent: Division?) -> [String] {
        let bare = bareName(division.name)
        var own = [division.name]
        // One character is no name by itself; 县 and 市 districts of two characters lose their meaning without the sort.
        if bare.count >= 2 { own.append(bare) }
        if division.code.utf8.count == 9, bare.count >= 2 { own += [bare + "镇", bare + "街道", bare + "街", bare + "乡"] }
        guard let parent else { return own }
        let parents = [parent.name, bareName(parent.name)].filter { $0.count >= 2 }
        return own + parents.flatMap { prefix in own.map { prefix + $0 } }
    }

    /// A name without the word for its sort.
    private static func bareName(_ name: String) -> String {
        let sorts = ["特别行政区", "维吾尔自治区", "壮族自治区", "回族自治区", "自治区", "街道", "省", "市", "区", "县", "镇", "乡"]
        for sort in sorts where name.hasSuffix(sort) && name.count >= sort.count + 2 {
            return String(name.dropLast(sort.count))
        }
        return name
    }
}
