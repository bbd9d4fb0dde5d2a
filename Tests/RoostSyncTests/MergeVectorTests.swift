import RoostSchema
import RoostSync
import Testing

/// The vectors of the merge rule.
@Suite struct MergeVectorTests {
    @Test(arguments: Vector.cases("merge"))
    func `mutations merge into a row as the vectors say`(_ vector: Vector) throws {
        let collection = RoostSchema.Collection(
            "thing", .register, "物", "thing",
            fields: try #require(vector.input["declared"]?.list).map { declared in
                let name = FieldName(try #require(declared["name"]?.text))
                guard let ranks = declared["rank"]?.list?.compactMap(\.text) else {
                    return Field(name, .text(max: 100), "字段", "field")
                }
                return Field(
                    name, .code(ranks.map { Code($0, $0, $0) }), "状态", "state",
                    merge: .rank(ranks, reopens: try #require(declared["reopens"]?.text)))
            })
        var row = try stored(try #require(vector.input["row"]), in: collection)
        var losses: [Value] = []
        for mutation in try #require(vector.input["mutations"]?.list) {
            let stamp = try mutation.stamp("stamp")
            let base = mutation["base"] == nil ? nil : try mutation.stamp("base")
            let lost: [Merge.Loss]
            if let deleted = mutation["deleted"]?.boolean {
                lost = Merge.merge(deleted: deleted, into: &row, at: stamp, base: base)
            } else {
                let fields = try #require(mutation["fields"]).members
                lost = Merge.merge(
                    fields.compactMap { field in
                        collection.position(of: field.name).map { ($0, field.value) }
                    },
                    unknown: fields.filter { collection.position(of: $0.name) == nil }.map {
                        Mutation.Change($0.name, $0.value)
                    }, into: &row, of: collection, at: stamp, base: base)
            }
            losses += lost.map(described)
        }
        let expected = vector.expected
        #expect(Value.list(losses).sorted == expected["losses"]?.sorted)
        #expect(fields(of: row, collection).sorted == expected["fields"]?.sorted)
        #expect(stamps(of: row, collection).sorted == expected["stamps"]?.sorted)
        #expect(row.isDeleted == expected["deleted"]?.boolean)
        if let deletion = expected["deletion"]?.text { #expect(row.deletion.description == deletion) }
    }

    private func stored(_ value: Value, in collection: RoostSchema.Collection) throws -> Row {
        let fields = try #require(value["fields"])
        var row = Row(
            key: RowKey(0, RowID(bits: 1)), values: collection.fields.map { fields[$0.name.text] ?? .null },
            stamp: try value.stamp("stamp"), isDeleted: value["deleted"]?.boolean ?? false,
            deletion: value["deletion"] == nil ? nil : try value.stamp("deletion"))
        for member in value["stamps"]?.members ?? [] {
            let position = try #require(collection.position(of: member.name))
            row.set(position, to: row.values[position], at: try #require(member.value.text.flatMap { Stamp($0) }))
        }
        return row
    }

    private func described(_ loss: Merge.Loss) -> Value {
        .object([
            .init("field", .text(loss.field)), .init("value", loss.value),
            .init("stamp", .text(loss.stamp.description)), .init("winner", .text(loss.winner.description)),
            .init("hard", .boolean(loss.hard)), .init("incoming", .boolean(loss.incoming)),
        ])
    }

    private func fields(of row: Row, _ collection: RoostSchema.Collection) -> Value {
        var members = zip(collection.fields, row.values).filter { !$1.isNull }.map {
            Value.Member($0.name.text, $1)
        }
        members += row.unknown.map { Value.Member($0.name, $0.value) }
        return .object(members)
    }

    private func stamps(of row: Row, _ collection: RoostSchema.Collection) -> Value {
        var members = row.overrides.map {
            Value.Member(collection.fields[$0.position].name.text, .text($0.stamp.description))
        }
        members += row.unknown.map { Value.Member($0.name, .text($0.stamp.description)) }
        return .object(members)
    }
}
