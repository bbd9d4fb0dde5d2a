/// The body of `POST /v1/enrol`.
package struct EnrolmentRequest: Codable, Hashable, Sendable {
    /// The one-time code as a person typed it; case, spaces and dashes do not matter.
    package var code: String
    /// What the person calls this device, shown beside conflicts and in `roostd doctor`.
    package var label: String
    /// Sixteen hexadecimal digits drawn by the device.
    package var replica: String
    /// The officer whose data the device holds already; a code of another's is then not taken.
    package var officer: String?

    package init(code: String, label: String, replica: String, officer: String? = nil) {
        self.code = code
        self.label = label
        self.replica = replica
        self.officer = officer
    }
}

/// The answer to `POST /v1/enrol`; the token is told once and kept by the server only as a hash.
package struct EnrolmentAnswer: Codable, Hashable, Sendable {
    package var token: String
    /// The officer's row.
    package var officer: String
    package var name: String
    /// Role names held now.
    package var roles: [String]
    package var epoch: String

    package init(token: String, officer: String, name: String, roles: [String], epoch: String) {
        self.token = token
        self.officer = officer
        self.name = name
        self.roles = roles
        self.epoch = epoch
    }
}
