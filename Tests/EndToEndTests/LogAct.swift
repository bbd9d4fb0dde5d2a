import Testing

/// What the operator's log must not hold.
extension Journey {
    /// No name, number, token or code of the journey is in anything the server wrote.
    func expectNothingPersonalInTheLog(_ students: [JSON]) {
        let log = county.server.log
        #expect(log.contains("/v1/sync"), "the log was read")
        var secrets = Set(County.names.values).union(County.mentors)
        for fields in students.map(\.["fields"]) {
            for field in ["name", "mobile"] {
                // As stored and as people write it.
                if let text = fields[field].text {
                    secrets.formUnion([text, String(text.drop { $0 == "+" }.dropFirst(2))])
                }
            }
        }
        secrets.formUnion(county.server.codes)
        if let token = county.wire.caller.token { secrets.insert(token) }
        let found = secrets.filter { $0.count > 1 && log.contains($0) }
        #expect(found == [])
    }
}
