package import RoostAPI
package import RoostStore
package import RoostSync
import RoostSchema

/// Bringing a device in, for the first time or again.
///
/// A server restored from a backup does not know the devices enrolled since; a copied database must become a device of
/// its own, and so must a revoked one that is let in again. All enrol over their data, which they keep.
package struct Enrolment {
    /// What the device was enrolled as before; nil the first time.
    package let former: Enrolled?
    /// The replica it will be.
    package let identity: ReplicaID
    private let replica: Replica
    private let server: String

    /// - Throws: ``ClientError/alreadyEnrolled(server:)`` if the data came from another server.
    package init(of replica: Replica, at server: String, random: () -> UInt64) throws {
        self.replica = replica
        self.server = server
        former = try? replica.enrolled()
        if let former, former.server != server { throw ClientError.alreadyEnrolled(server: former.server) }
        if let former, try !replica.isCopied(), try replica.revokedDevice() == nil {
            identity = former.replica
        } else {
            identity = ReplicaID(random())
        }
    }

    package func request(code: String, label: String) -> EnrolmentRequest {
        EnrolmentRequest(
            code: code, label: label, replica: identity.description, officer: former?.officer.description)
    }

    /// Keeps what the server answered.
    package func keep(_ answer: EnrolmentAnswer, label: String) throws {
        guard let officer = RowID(answer.officer) else { throw ClientError.badAnswer }
        let enrolled = Enrolled(
            server: server, token: answer.token, replica: identity, officer: officer, name: answer.name,
            roles: answer.roles.map { RoleName($0) }, label: label)
        if former == nil { try replica.begin(enrolled) } else { try replica.renew(enrolled) }
    }
}
