import Foundation

/// Folding of traditional into simplified characters, for matching only.
///
/// Nothing stored is ever rewritten with it: a person's name keeps the script that the person uses.
package enum HanFolding {
    /// The text with every traditional character replaced by its simplified form.
    package static func simplified(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 >= 0xE3 }) else { return text }
        // Most are simplified already.
        guard text.unicodeScalars.contains(where: { table[$0] != nil }) else { return text }
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            scalars.append(table[scalar] ?? scalar)
        }
        return String(scalars)
    }

    /// The key under which two spellings of one name meet: cleaned, NFC, without blanks, folded, lower case.
    package static func matchingKey(_ name: String) -> String {
        let folded = simplified(Cleaning.personName(name))
        guard folded.utf8.contains(where: { $0 < 0x80 }) else { return folded }
        if let plain = ASCIIWords.lowercased(folded) { return plain.filter { $0 != " " } }
        return folded.filter { $0 != " " }.lowercased()
    }

    /// Every traditional character of the basic plane whose simplified form differs.
    ///
    /// ICU is asked once for the whole range (about 40 ms), since a call for each name would cost more in one sheet.
    private static let table: [Unicode.Scalar: Unicode.Scalar] = {
        let scalars = (0x3400...0x9FFF as ClosedRange<UInt32>).compactMap(Unicode.Scalar.init)
        let lines = scalars.map { String(Character($0)) }.joined(separator: "\n")
        guard let folded = lines.applyingTransform(StringTransform("Hant-Hans"), reverse: false) else { return [:] }
        let targets = folded.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
        guard targets.count == scalars.count else { return [:] }
        var table: [Unicode.Scalar: Unicode.Scalar] = [:]
        for (source, target) in zip(scalars, targets) {
            if let first = target.first, target.count == 1, first != source { table[source] = first }
        }
        return table
    }()
}
