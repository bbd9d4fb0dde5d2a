import RoostClient
import RoostSchema
import RoostStore
import RoostSync

/// What one device has shown and was told, against which everything that it shows later is held.
///
/// A value may only go for a newer one, with its row, or because its owner may not see it any more. Between the pages of
/// one synchronisation a row may have left one scope and not have come by the other yet: that is excused until the last
/// page.
struct Session {
    /// What the server said last, until the device has applied it.
    var answer: ExchangeAnswer?
    /// The server's history of which all this is.
    fileprivate var epoch: String?
    /// The greatest stamp under which each field was shown in full.
    fileprivate var shown: [Place: [String: Dated]] = [:]
    /// The device's own edits that stand.
    fileprivate var accepted: [Place: [String: Record.Cell]] = [:]
    /// Rows that the server had shown and that were to be seen.
    fileprivate var live: Set<Place> = []
    /// Each scope's epoch as it was last read.
    fileprivate var epochs: [String: Int64] = [:]
    /// Rows of which some scope shows less, while others may still have to say what they show.
    fileprivate var moving: Set<Place> = []
    /// Whether a scope went or is read anew.
    fileprivate(set) var isMoving = false
    /// Fields that were shown once and are withheld now.
    fileprivate var withheld: [Place: Set<String>] = [:]

    fileprivate func excuses(_ place: Place) -> Bool { isMoving || moving.contains(place) }

    /// Excuses everything until the next synchronisation is through: it is not known how much of an answer was applied.
    mutating func forgive() { (answer, isMoving) = (nil, true) }
}

extension ExchangeAnswer {
    /// Whether nothing is on its way that belongs to it.
    fileprivate var isWhole: Bool { !scopes.contains { $0.more || $0.wait != nil || $0.snapshot != nil } }

    fileprivate var saysSomething: Bool { !verdicts.isEmpty || !lost.isEmpty || !scopes.isEmpty }
}

extension World {
    /// Looks at a device that has just applied an answer, or a part of a file.
    func watch(_ index: Int, isLate: Bool = false) {
        guard violation == nil else { return }
        guard !isRecovering else {
            devices[index].session = Session()
            return
        }
        var session = devices[index].session
        let answer = session.answer
        session.answer = nil
        if let answer {
            guard answer.saysSomething else { return devices[index].session.answer = nil }
            hear(answer, &session, index, isLate: isLate)
        }
        do {
            try look(at: index, &session)
        } catch {
            fail(.session, "\(devices[index].seat.device.label) cannot be read: \(error)")
        }
        devices[index].session = session
    }

    /// The same after an answer of long ago, which brings back what was so then, as scopes given up since.
    ///
    /// Devices are synchronised by one process at a time, so that nobody ever sees this; what it did is looked at once the
    /// next synchronisation is through.
    func watch(_ index: Int, late answer: ExchangeAnswer) {
        guard answer.epoch == epoch else { return devices[index].session.forgive() }
        devices[index].session.answer = answer
        devices[index].session.isMoving = true
        watch(index, isLate: true)
    }

    private func hear(_ answer: ExchangeAnswer, _ session: inout Session, _ index: Int, isLate: Bool) {
        if session.epoch != answer.epoch {
            session = Session()
            session.epoch = answer.epoch
        }
        if !answer.lost.isEmpty { session.isMoving = true }
        for page in answer.scopes {
            let scope = page.scope.description
            if page.mustResnapshot || session.epochs[scope].map({ $0 != page.epoch }) ?? false {
                session.isMoving = true
            }
            session.epochs[scope] = page.epoch
            for departure in page.left { session.moving.insert(place(departure.collection, departure.row)) }
            for row in page.rows {
                let place = place(row.collection, row.row)
                guard let shown = session.shown[place] else { continue }
                let full = Set(row.fields.map(\.field)).subtracting(row.masked)
                if !full.isSuperset(of: shown.keys) { session.moving.insert(place) }
            }
        }
        accept(answer.verdicts, &session, index)
        if answer.isWhole, !isLate { (session.moving, session.isMoving) = ([], false) }
    }

    /// From its verdict on an edit is to be seen, or something newer.
    private func accept(_ verdicts: [Verdict], _ session: inout Session, _ index: Int) {
        guard !verdicts.isEmpty else { return }
        let device = devices[index]
        let me = device.seat.device.replica.bits
        let incarnation = device.edits.keys.filter { $0.replica == me }.map(\.incarnation).max() ?? 0
        for verdict in verdicts where [.applied, .merged, .late].contains(verdict.outcome) {
            guard let stamp = verdict.stamp,
                let edit = device.edits[
                    EditName(replica: me, incarnation: incarnation, number: verdict.number)]
            else { continue }
            let place = place(edit.collection, edit.row)
            for change in edit.changes where !verdict.lost.contains(change.field) {
                let cell = Record.Cell(value: Plain(change.value), stamp: Dated(stamp))
                // A value equal to the mask that its author saw was no change.
                guard let stands = model.rows[place]?.cells[change.field]?.stamp, stands >= cell.stamp else { continue }
                let known = session.accepted[place]?[change.field]
                if known.map({ $0.stamp < cell.stamp }) ?? true {
                    session.accepted[place, default: [:]][change.field] = cell
                }
            }
        }
    }

    private func look(at index: Int, _ session: inout Session) throws {
        let device = devices[index]
        let held = model.held(by: device.seat.officer.description, at: clock.now)
        var waiting: [Place: [Mutation]] = [:]
        for edit in try device.replica.unsent() { waiting[place(edit.collection, edit.row), default: []].append(edit) }
        var live: Set<Place> = []
        for collection in device.replica.rules.catalogue.collections {
            let names = collection.fields.map(\.name.text)
            for shown in try device.replica.rows(of: collection.name) {
                let place = place(collection.name.text, shown.row.key.id)
                if !shown.isPending || session.live.contains(place) { live.insert(place) }
                let own = waiting.removeValue(forKey: place) ?? []
                if own.last(where: { $0.action != .edit })?.action == .delete {
                    fail(.session, "\(device.seat.device.label) shows \(place), which was deleted on it")
                }
                // Of a deleted row a device keeps no values: what it restores is empty until the server has answered.
                if own.contains(where: { $0.action == .restore }) { session.moving.insert(place) }
                // What was typed before the creation that made the row was about one that is gone.
                let begin = own.firstIndex {
                    $0.action == .create && Stamp($0.time, device.seat.device.replica) == shown.row.stamp
                }
                var typed: [String: Plain] = [:]
                for change in own[(begin ?? 0)...].flatMap(\.changes) { typed[change.field] = Plain(change.value) }
                for (position, field) in names.enumerated() where !Self.isLabel(field) {
                    let stamp = shown.row.stamp(of: position)
                    let cell = Seen(
                        place: place, field: field, value: Plain(shown.row.values[position]), stamp: Dated(stamp),
                        isMasked: shown.masked.contains(position),
                        isOwn: shown.isPending && stamp.replica == device.seat.device.replica)
                    judge(cell, typed: typed[field], &session, device.seat.device.label, holding: held)
                }
            }
        }
        for (place, edits) in waiting where edits.contains(where: { $0.action == .create }) {
            guard edits.last(where: { $0.action != .edit })?.action != .delete else { continue }
            // Somebody else may have deleted a row of the same name.
            if model.rows[place] == nil {
                fail(.session, "\(device.seat.device.label) does not show \(place), which was entered on it")
            }
        }
        for place in session.live.subtracting(live) where !session.excuses(place) && waiting[place] == nil {
            if model.shown(place, holding: held) != nil {
                fail(.session, "\(device.seat.device.label) does not show \(place) any more")
            }
        }
        session.live = live
    }

    /// A field as a device shows it; the stamp is the server's, of the value beneath what waits.
    private struct Seen {
        let place: Place
        let field: String
        let value: Plain
        let stamp: Dated
        let isMasked: Bool
        /// Whether the stamp may be the device's own, of a row that it entered and has not seen the server's image of.
        let isOwn: Bool
    }

    private func judge(
        _ cell: Seen, typed: Plain?, _ session: inout Session, _ label: String, holding held: Set<String>
    ) {
        if let typed {
            if cell.value != typed {
                fail(.session, "\(label) shows \(cell.place).\(cell.field) as \(cell.value), not as typed: \(typed)")
            }
            return
        }
        // Progress is ordered by rank, not by time.
        guard Rulebook.ranks(cell.place.kind, cell.field) == nil, !cell.isOwn else { return }
        let seen = session.shown[cell.place]?[cell.field]
        let own = session.accepted[cell.place]?[cell.field]
        if let own, cell.value == own.value { return }
        guard !cell.isMasked, cell.value != .nothing else { return withhold(cell, seen, own, &session, label, held) }
        if let oldest = [seen, own?.stamp].compactMap(\.self).max(), cell.stamp < oldest {
            guard !session.excuses(cell.place) else { return }
            return fail(
                .session,
                "\(label) shows \(cell.place).\(cell.field) as \(cell.value) of \(cell.stamp), after \(oldest)")
        }
        session.shown[cell.place, default: [:]][cell.field] = cell.stamp
        if session.withheld[cell.place]?.remove(cell.field) != nil { note("projection widened again") }
    }

    /// A field without a value was cleared, or is one that its owner may not see any more.
    private func withhold(
        _ cell: Seen, _ seen: Dated?, _ own: Record.Cell?, _ session: inout Session, _ label: String,
        _ held: Set<String>
    ) {
        guard let oldest = [seen, own?.stamp].compactMap(\.self).max(), !session.excuses(cell.place) else { return }
        let mayRead = model.rows[cell.place].map { row in
            model.scopes(of: cell.place, row).contains {
                held.contains($0) && model.sight(of: cell.field, cell.place, row, in: $0) == .full
            }
        }
        if mayRead == false {
            if seen != nil, session.withheld[cell.place, default: []].insert(cell.field).inserted {
                note("projection narrowed")
            }
        } else if cell.isMasked || cell.stamp < oldest {
            fail(.session, "\(label) shows no \(cell.place).\(cell.field) any more, after \(oldest)")
        }
    }
}
