package import RoostAPI
package import RoostSchema
package import RoostStore
import RoostSync

/// Lists imports and takes them back.
package struct ImportRegister: Sendable {
    private let store: ServerStore

    package init(store: ServerStore) { self.store = store }

    /// The latest imports; who may not undo those of others sees their own.
    package func list(for officer: RowID) async throws -> ImportList {
        let principal = try await store.principal(of: officer)
        let now = store.clock()
        let catalogue = store.rules.catalogue
        let seesAll = principal.has(.undoImports, at: now, catalogue)
        guard seesAll || principal.has(.importSheets, at: now, catalogue) else {
            throw Refusal.role(Label("只有可以导入的人能看导入记录。", "imports are shown to those who may import"))
        }
        let batches = try await store.batches().filter { seesAll || $0.officer == officer }
        return ImportList(imports: batches.map(ImportSummary.init))
    }

    /// Undoes an import.
    /// - Throws: ``Refusal``: unknown, already undone, too long ago, or no right to it.
    package func undo(_ batch: RowID, by officer: RowID) async throws -> ImportUndoReport {
        let principal = try await store.principal(of: officer)
        guard principal.has(.undoImports, at: store.clock(), store.rules.catalogue) else {
            throw Refusal.role(
                Label("撤销导入须是登记员。", "undoing an import takes the role of a registrar"))
        }
        do {
            return ImportUndoReport(try await store.undoImport(batch, by: officer))
        } catch let problem as UndoProblem {
            throw Refusal(problem)
        }
    }
}

extension Refusal {
    init(_ problem: UndoProblem) {
        switch problem {
        case .unknownBatch:
            self.init(.notFound, reason: "unknown_batch", Label("没有这次导入。", "there is no such import"))
        case .alreadyUndone:
            self.init(
                .conflict, reason: "already_undone", Label("这次导入已经撤销过。", "the import has been undone already"))
        case .tooLate:
            self.init(
                .conflict, reason: "undo_window_over",
                Label("导入已超过 30 天，不能再撤销。", "the import is more than 30 days old and cannot be undone"))
        }
    }
}

extension ImportSummary {
    init(_ batch: ImportBatch) {
        func count(_ name: String) -> Int { batch.counts[name] ?? 0 }
        self.init(
            batch: batch.id.description, officer: batch.officer.description, source: batch.source,
            template: batch.template,
            counts: ImportReport.Counts(
                read: count("read"), new: count("new"), updated: count("updated"), unchanged: count("unchanged"),
                suspect: count("suspect"), refused: count("refused")),
            committedAt: batch.committedAt.value, undoneAt: batch.undoneAt?.value)
    }
}

extension ImportUndoReport {
    init(_ report: UndoReport) {
        self.init(
            batch: report.batch.description, restored: report.restored, deleted: report.deleted,
            kept: report.kept.map { kept in
                Kept(
                    collection: kept.collection.text, row: kept.row.description, field: kept.field?.text,
                    reason: kept.reason.rawValue, zh: kept.reason.label.zh, en: kept.reason.label.en)
            })
    }
}

extension UndoReport.Kept.Reason {
    fileprivate var label: Label {
        switch self {
        case .editedLater: Label("导入后又有人改过，保留后来的值", "edited since the import; the later value stays")
        case .touchedLater: Label("导入后又有人改过，整条保留", "changed since the import; the row stays")
        case .inUse: Label("导入后此人有了新的资料，整体保留", "there is something newer about this person; kept whole")
        }
    }
}
