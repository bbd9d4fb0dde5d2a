package import RoostSchema

/// The youth-return programme, declared.
package enum Programme {
    /// The collection that people's rows are about, and that conflicts follow.
    package static let subject: CollectionName = "student"

    /// GB/T 2260 code of the county whose young people the programme is about: Heshan.
    package static let homeDivision = "440784"

    static let collections = People.collections + Network.collections + Care.collections + Outreach.collections

    /// The row of a school: named by its public code, or by its official name where it has none.
    ///
    /// The same on every device and in every import, because schools are known by nature and not by who enters them.
    package static func schoolRow(code: String, name: String) -> RowID {
        RowID(naming: "school", code.isEmpty ? name : code)
    }

    /// The row of a policy, named by the number its issuer gave it.
    package static func policyRow(code: String) -> RowID { RowID(naming: "policy", code) }
}

extension Catalogue {
    /// The programme's catalogue.
    package static let programme = Catalogue(
        version: 2, collections: Programme.collections, scopes: Scopes.kinds, roles: Roles.all,
        authority: Authority(
            "authority_grant", officer: "officer", role: "role", target: "target",
            when: .field("state", is: "active")),
        commons: "commons", facets: Facets.all, templates: SheetTemplates.all)
}
