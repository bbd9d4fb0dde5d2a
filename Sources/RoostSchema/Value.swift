/// What a field holds: the values of JSON, with row identities told apart.
///
/// `null` means *cleared*. That a field is *absent* is said by leaving it out, never by a value.
package enum Value: Hashable, Sendable {
    case null
    case boolean(Bool)
    /// Whole numbers, and moments as milliseconds since the Unix epoch.
    case integer(Int64)
    /// Only inside fields this catalogue does not know.
    case real(Double)
    case text(String)
    case id(RowID)
    case list([Value])
    /// Members in the order they were written, so that unknown structures survive byte for byte.
    case object([Member])

    package struct Member: Hashable, Sendable {
        package let name: String
        package let value: Value

        package init(_ name: String, _ value: Value) {
            self.name = name
            self.value = value
        }
    }

    @inlinable package var isNull: Bool { if case .null = self { true } else { false } }
    @inlinable package var text: String? { if case .text(let text) = self { text } else { nil } }
    @inlinable package var integer: Int64? { if case .integer(let integer) = self { integer } else { nil } }
    @inlinable package var boolean: Bool? { if case .boolean(let boolean) = self { boolean } else { nil } }
    @inlinable package var id: RowID? { if case .id(let id) = self { id } else { nil } }
    @inlinable package var list: [Value]? { if case .list(let list) = self { list } else { nil } }

    /// The member of an object, or nil.
    package subscript(name: String) -> Value? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }
}

extension Value: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByNilLiteral
{
    package init(stringLiteral text: String) { self = .text(text) }
    package init(integerLiteral integer: Int64) { self = .integer(integer) }
    package init(booleanLiteral boolean: Bool) { self = .boolean(boolean) }
    package init(nilLiteral: ()) { self = .null }
}
