import Foundation
import Logging
import RoostSchema
import RoostServer
import RoostSync

/// What the terminal shows once the server listens: where it is, and in a demo a code for each role.
struct Welcome: Sendable {
    let options: CommonOptions
    /// How the client is called from where this server was started.
    let client: String
    let application: RoostApplication

    func print(port: Int) async {
        let settings = application.settings
        let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
        let url = "\(settings.certificate == nil ? "http" : "https")://\(host):\(port)"
        let codes = settings.demo ? await demoCodes() : []
        if options.json { json(url, codes) } else { text(url, codes) }
        // Whoever waits on a pipe for the address must not wait for a buffer to fill.
        fflush(nil)
    }

    /// A fresh code for each role of the demo county; none if the database is not the demo's.
    private func demoCodes() async -> [DemoCode] {
        do { return try await application.demoCodes() } catch {
            application.logger.error("no enrolment codes could be made")
            return []
        }
    }

    private func json(_ url: String, _ codes: [DemoCode]) {
        printLine(
            jsonObject { writer in
                writer.name("url")
                writer.string(url)
                writer.name("codes")
                writer.array { writer in
                    for code in codes {
                        writer.object { writer in
                            writer.name("role")
                            writer.plain(code.role.text)
                            writer.name("officer")
                            writer.id(code.officer)
                            writer.name("name")
                            writer.string(code.name)
                            writer.name("code")
                            writer.plain(code.code.text)
                        }
                    }
                }
            })
    }

    private func text(_ url: String, _ codes: [DemoCode]) {
        options.say("归巢服务器已启动：\(url)", "Roost listens at \(url)")
        // An administrator sees no students, so the one to try first is a coordinator.
        guard let first = codes.first(where: { $0.role.text == "coordinator" }) ?? codes.first else { return }
        let minutes = application.settings.enrolmentMinutes
        options.say("\n登记码（\(minutes) 分钟内有效，一次有效）：", "\nEnrolment codes (each good once, for \(minutes) minutes):")
        let width = codes.map { $0.role.text.count }.max() ?? 0
        for code in codes {
            let role = code.role.text + String(repeating: " ", count: width - code.role.text.count)
            let place = code.chapter.map { " · \($0)" } ?? ""
            Swift.print("  \(role)  \(code.code.text)  \(options.text(code.label)) · \(code.name)\(place)")
        }
        options.say("\n在另一个终端里：", "\nIn another terminal:")
        Swift.print("  \(client) enrol \(url) \(first.code.text)")
    }
}
