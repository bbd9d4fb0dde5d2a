import Foundation
import Testing

/// What the server must not write down.
extension Journey {
    /// No name, number, token, code or secret of the journey is in the log, and no identity number is in any file.
    func expectDiscretion(about students: [JSON], secret: String) throws {
        let log = Data(county.server.log.utf8)
        func isLogged(_ text: String) -> Bool { log.range(of: Data(text.utf8)) != nil }
        #expect(isLogged("/v1/sync"), "the log was read")
        var told = Set(County.names.values).union(County.mentors).union(county.server.codes).union([secret])
        for fields in students.map(\.["fields"]) {
            if let name = fields["name"].text { told.insert(name) }
            // Without the country's code, as people write it.
            if let mobile = fields["mobile"].text { told.insert(String(mobile.dropFirst(3))) }
        }
        if let token = county.wire.caller.token { told.insert(token) }
        #expect(told.filter { $0.count > 1 && isLogged($0) } == [])

        let numbers = try identityNumbers()
        try #require(numbers.count > 3000)
        #expect(numbers.filter(isLogged) == [])
        // One in a hundred, because each is looked for in every byte.
        let sample = stride(from: 0, to: numbers.count, by: 100).map { Data(numbers[$0].utf8) }
        let files = try FileManager.default.subpathsOfDirectory(atPath: county.server.data)
        try #require(files.contains("server.sqlite"))
        for file in files {
            let bytes = FileManager.default.contents(atPath: county.server.data + "/" + file) ?? Data()
            #expect(!sample.contains { bytes.range(of: $0) != nil }, "\(file)")
        }
    }

    /// The whole identity numbers of the bureau's sheet; they are ASCII in any of its encodings.
    private func identityNumbers() throws -> [String] {
        let sheet = try Data(contentsOf: URL(fileURLWithPath: Provided.sheet(Self.bureauSheet)))
        let cells = sheet.split { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\n") }
        return cells.filter { $0.count == 18 && $0.prefix(17).allSatisfy { (0x30...0x39).contains($0) } }
            .map { String(decoding: $0, as: UTF8.self) }
    }
}
