import RoostClient
import RoostSchema
import RoostSync

/// Parallel edits in words and for programs: told beside conflicts, and nothing to decide.
extension ConflictWords {
    func list(_ parallels: [ParallelCase], to output: Output) throws {
        guard !parallels.isEmpty else { return }
        output.say("")
        output.say(
            "并行修改（同一记录的不同字段，改时互未看到；两处都已保留，无需处理）：",
            "Parallel edits (other fields of the same record, made unseen by each other; both stand, nothing to do):")
        output.table(
            [
                output.text("对象", "about"), output.text("集合", "record"), output.text("先改", "earlier"),
                output.text("作者", "by"), output.text("时间", "at"), output.text("后改", "later"),
                output.text("作者", "by"), output.text("时间", "at"),
            ], try parallels.map(line))
        output.say("共 \(parallels.count) 处并行修改。", "\(parallels.count.of("parallel edit")).")
    }

    private func line(_ parallel: ParallelCase) throws -> [String] {
        let collection = desk.catalogue[parallel.collection]?.label.text(language) ?? parallel.collection.text
        return [try subject(of: parallel.row, in: parallel.collection), collection]
            + [parallel.earlier, parallel.later].flatMap { side in
                [
                    side.fields.map { self.text($0, of: side, in: parallel.collection) }.joined(separator: "; "),
                    author(side.author, on: side.device), moment(side.stamp),
                ]
            }
    }

    private func text(_ field: String, of side: ParallelCase.Side, in collection: CollectionName) -> String {
        let label = label(field, in: collection)
        guard let value = side.standing[field], let declared = desk.catalogue[collection]?[FieldName(field)] else {
            return label
        }
        return label + "=" + wording.text(value, of: declared)
    }

    func value(_ parallel: ParallelCase) -> Value {
        func side(_ side: ParallelCase.Side) -> Value {
            .object([
                .init("fields", .list(side.fields.map { .text($0) })),
                .init(
                    "standing", .object(side.fields.compactMap { name in side.standing[name].map { .init(name, $0) } })),
                .init("author", side.author.map { .id($0) } ?? .null),
                .init("device", side.device.map { .text($0) } ?? .null),
                .init("stamp", side.stamp.map { .text($0.description) } ?? .null),
            ])
        }
        return .object([
            .init("id", .id(parallel.id)), .init("kind", "soft"),
            .init("collection", .text(parallel.collection.text)), .init("row", .id(parallel.row)),
            .init("earlier", side(parallel.earlier)), .init("later", side(parallel.later)),
            .init("noted_at", .integer(parallel.notedAt.value)),
        ])
    }
}
