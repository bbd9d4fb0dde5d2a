extension ServerSettings {
    /// The text of `Config/roostd.example.yaml`: every key with its default, commented out, and what it is for.
    ///
    /// Keys are nested by their dots; an optional key stands with nothing behind it.
    package static var exampleFile: String {
        var lines = [
            "# Configuration of roostd. Flags come before environment variables, those before this file, and this file",
            "# before the defaults, which stand here. A key that is not among these is an error.",
        ]
        var section: Substring?
        for key in SettingKey.all {
            let parts = key.name.split(separator: ".", maxSplits: 1)
            let isNested = parts.count > 1
            lines.append("")
            if isNested, parts[0] != section {
                section = parts[0]
                lines.append("#\(parts[0]):")
            }
            let indent = isNested ? "  " : ""
            lines += wrapped(key.purpose).map { "\(indent)# \($0)" }
            lines.append("\(indent)# \(key.environmentName): \(key.summary)")
            lines.append("#\(indent)\(parts[parts.count - 1]): \(key.initial ?? "")".trimmingTrailingSpace)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func wrapped(_ text: String) -> [String] {
        var lines: [String] = [""]
        for word in text.split(separator: " ") {
            let last = lines.count - 1
            if lines[last].count + word.count > 110 {
                lines.append(String(word))
            } else {
                lines[last] += (lines[last].isEmpty ? "" : " ") + word
            }
        }
        return lines
    }
}

extension String {
    fileprivate var trimmingTrailingSpace: String { hasSuffix(" ") ? String(dropLast()) : self }
}
