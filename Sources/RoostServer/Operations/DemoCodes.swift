package import RoostSchema
import RoostStore
import RoostSync

/// A fresh enrolment code for one officer of the demo county.
package struct DemoCode: Sendable {
    package let officer: RowID
    package let role: RoleName
    package let label: Label
    package let name: String
    package let chapter: String?
    package let code: EnrolmentCode
}

extension RoostApplication {
    /// A code for the first officer who was given each role, in the catalogue's order of roles; none for a database
    /// that holds real people, however the server was started.
    ///
    /// Read from the database and not from the generator, so that a later start finds the same officers.
    package func demoCodes() async throws -> [DemoCode] {
        guard try await store.isDemo() else { return [] }
        let catalogue = store.rules.catalogue
        let authority = catalogue.authority
        guard let grants = catalogue[authority.collection], let officer = grants.position(of: authority.officer),
            let role = grants.position(of: authority.role), let target = grants.position(of: authority.target)
        else { return [] }
        let rows = try await store.rows(of: authority.collection, where: authority.when)
        var codes: [DemoCode] = []
        for declared in catalogue.roles {
            let candidates = rows.filter { $0.values[role].text == declared.name.text }
            guard let grant = candidates.min(by: { $0.stamp < $1.stamp }), let holder = grant.values[officer].id else {
                continue
            }
            var chapter: String?
            if let id = grant.values[target].id, let name = catalogue["chapter"]?.position(of: "name" as FieldName) {
                chapter = try await store.rows("chapter", ids: [id]).first?.values[name].text
            }
            let (code, _) = try await accounts.makeCode(for: holder, madeBy: nil)
            codes.append(
                DemoCode(
                    officer: holder, role: declared.name, label: declared.label,
                    name: try await accounts.name(of: holder), chapter: chapter, code: code))
        }
        return codes
    }
}
