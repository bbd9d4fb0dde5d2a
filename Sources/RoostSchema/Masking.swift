extension Mask {
    /// What a masked reader sees of a value; null stays null, so that a gap is not mistaken for a secret.
    package func applied(to value: Value) -> Value {
        guard let text = value.text else { return self == .hidden ? .null : value }
        switch self {
        case .hidden: return .null
        case .year: return .text(String(text.prefix(4)))
        case .phone:
            // The country code of mainland, Hong Kong and Macau numbers stays readable; the rest keeps 3 + 4 digits.
            let national = text.hasPrefix("+852") || text.hasPrefix("+853") ? 4 : text.hasPrefix("+86") ? 3 : 1
            let digits = text.dropFirst(national)
            guard digits.count >= 8 else { return .text(String(repeating: "*", count: text.count)) }
            let code = national == 3 ? "" : String(text.prefix(national)) + " "
            return .text(code + digits.prefix(3) + "****" + digits.suffix(digits.count > 8 ? 4 : 2))
        }
    }
}

extension Sight {
    /// The sight that holds for a row, with its conditions decided by the subject's values.
    package func resolved(_ holds: (Condition) -> Bool) -> Sight {
        var sight = self
        while case .when(let condition, let then, let otherwise) = sight { sight = holds(condition) ? then : otherwise }
        return sight
    }
}
