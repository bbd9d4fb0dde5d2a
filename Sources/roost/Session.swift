import ArgumentParser
import Curl
import Foundation
import RoostClient
import RoostModel
import RoostSchema
import RoostStore
import RoostSync

/// What every command takes.
struct CommonOptions: ParsableArguments {
    @Flag(name: .long, help: "以 JSON 输出 · Print JSON.")
    var json = false

    @Option(name: .long, help: "界面语言 zh|en · Language; by locale otherwise.")
    var lang: Language?

    @Option(name: .long, help: ArgumentHelp("数据目录 · Folder of this device's data.", valueName: "dir"))
    var data: String?

    var language: Language { lang ?? Language(environment: ProcessInfo.processInfo.environment) }

    /// `--data`, else the place the XDG base directory specification names.
    var directory: String {
        let environment = ProcessInfo.processInfo.environment
        if let data { return data }
        if let home = environment["XDG_DATA_HOME"], home.hasPrefix("/") { return home + "/roost" }
        return (environment["HOME"] ?? ".") + "/.local/share/roost"
    }
}

extension Language: ExpressibleByArgument {}

extension Catalogue {
    /// What this client was built with.
    static let client = Catalogue.programme.withConflicts(about: Programme.subject)
}

/// One run of a command: the replica, and where its words go.
struct Session {
    let options: CommonOptions
    let output: Output
    let environment = Environment.system

    init(_ options: CommonOptions) {
        self.options = options
        output = Output(json: options.json, language: options.language)
    }

    func openReplica() throws -> Replica {
        try Replica(directory: options.directory, catalogue: .client, names: NameKeys.programme)
    }

    /// The person's desk; says so where the device has locked how people can be reached.
    func desk() throws -> Desk {
        let desk = try Desk(try openReplica(), environment: environment)
        if let lease = desk.endedLease {
            let words = ClientError.leaseOver(days: lease.days).message
            output.warn(words.zh, words.en)
        }
        return desk
    }

    /// The name of a student this device holds; nil for anybody else.
    func name(ofStudent row: RowID) throws -> String? {
        guard let shown = try desk().replica.row(Programme.subject, row),
            let place = Catalogue.client[Programme.subject]?.position(of: "name")
        else { return nil }
        return shown.row.values[place].text
    }

    /// Says that an edit is queued, and what should be known about it.
    func edited(_ shown: ShownRow, _ note: EditNote) {
        warn(note)
        output.say("已修改，待同步。", "Edited, to be synchronised.")
        output.result(
            .object([
                .init("id", .id(shown.row.key.id)),
                .init("masked", .list(note.masked.map { .text($0.en) })),
                .init("not_yours", .list(note.notTheirs.map { .text($0.en) })),
            ]))
    }

    /// Says what a person should know about the edit they just made.
    func warn(_ note: EditNote) {
        for label in note.masked {
            output.warn(
                "“\(label.zh)”对您是遮盖的：新值将交由能看到它的人处理。",
                "“\(label.en)” is masked to you: somebody who sees it will decide about the new value.")
        }
        for label in note.notTheirs {
            output.warn(
                "您的角色不能改“\(label.zh)”：服务器多半会退回，届时见 roost rejected。",
                "Your role does not write “\(label.en)”: the server will most likely refuse it; see roost rejected then."
            )
        }
        for words in note.unlisted {
            output.warn("名录中没有“\(words)”，已按原文保存。", "“\(words)” is in no list; it is kept as written.")
        }
    }

    func connection(_ enrolled: Enrolled, _ client: HTTPClient) throws -> ServerConnection {
        try ServerConnection(
            base: enrolled.server, token: enrolled.token, client: client, environment: environment,
            caFile: ProcessInfo.processInfo.environment["ROOST_CA_FILE"])
    }

    /// Whichever command hears that the device was revoked wipes it; other errors are what they were.
    private func purged(after error: ClientError) async -> ClientError {
        guard Revocation.isMeant(by: error) else { return error }
        let client = HTTPClient()
        defer { client.shutdown() }
        do {
            let replica = try openReplica()
            return try await Revocation(
                replica: replica, server: try connection(try replica.enrolled(), client), environment: environment
            ).purge()
        } catch {
            return error as? ClientError ?? (error as? ReplicaError).map { ClientError($0) } ?? .badAnswer
        }
    }

    /// Runs a command; an error is told in the person's language and becomes the exit status.
    static func run(_ options: CommonOptions, _ body: (Session) async throws -> Void) async throws {
        let session = Session(options)
        do {
            try await body(session)
        } catch let error as ClientError {
            let error = await session.purged(after: error)
            session.output.failure(error)
            throw ExitCode(error.exitStatus)
        } catch let error as ReplicaError {
            let error = ClientError(error)
            session.output.failure(error)
            throw ExitCode(error.exitStatus)
        } catch is OutboxError {
            let error = ClientError.groupTooLarge
            session.output.failure(error)
            throw ExitCode(error.exitStatus)
        } catch is CancellationError {
            throw ExitCode(130)
        }
    }
}
