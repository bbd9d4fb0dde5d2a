import Foundation

/// A folder of its own for one test, gone when it is released.
final class Place: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/roost-journey-" + UUID().uuidString.lowercased()
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// A new folder in it.
    func folder(_ name: String) throws -> String {
        let folder = path + "/" + name
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    /// Writes a file into it.
    func file(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = path + "/" + name
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }
}

/// Where the programs under test and the sheets they read are.
enum Provided {
    /// A program of this package, built into the folder in which the test runner lies too.
    static func program(_ name: String) throws -> String {
        guard let runner = Bundle.main.executablePath else { throw Absent(what: "the test runner's path") }
        let folder = URL(fileURLWithPath: runner).resolvingSymlinksInPath().deletingLastPathComponent()
        let program = folder.appendingPathComponent(name).path
        guard FileManager.default.isExecutableFile(atPath: program) else { throw Absent(what: "the program \(name)") }
        return program
    }

    /// A test sheet by its path in the collection of sheets.
    static func sheet(_ name: String) -> String {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return tests.appendingPathComponent("RoostSheetsTests/Rosters/" + name).path
    }
}

struct Absent: Error, CustomStringConvertible {
    let what: String

    var description: String { "\(what) is not there" }
}
