import Foundation

/// The content of a file, to search for text that must or must not be there.
struct FileBytes {
    private let data: Data

    init(_ path: String) throws { data = try Data(contentsOf: URL(fileURLWithPath: path)) }

    func contains(_ text: String) -> Bool { data.range(of: Data(text.utf8)) != nil }
}
