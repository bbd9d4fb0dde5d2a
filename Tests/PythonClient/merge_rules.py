"""The merge rules, a second time: written from MergeRules.md alone, to hold the document to the vectors.

A client does not need this file: the server alone merges.
"""

from wire import parse_stamp, time_text

TOLERANCE = 2000


def just_after(time):
    return format(int(time, 16) + 1, "016x")


def effective_time(corrected, base=None, previous=None):
    """The greatest of the corrected time, just after the base and just after the replica's previous mutation."""
    candidates = [corrected]
    if base is not None:
        candidates.append(just_after(base[:16]))
    if previous is not None:
        candidates.append(just_after(previous))
    return max(candidates)


def correct(now, device, time, mark=None, mutation_mark=None, boots=None):
    """(offset, corrected time) of a mutation, for a request whose clock said `device` when the server's said `now`."""
    offset = device - now
    if abs(offset) <= TOLERANCE:
        offset = 0
    milliseconds, counter = int(time[:12], 16), int(time[12:], 16)
    made = None
    if mark is not None and mutation_mark is not None and mark["boot"] == mutation_mark["boot"]:
        if mutation_mark["monotonic"] <= mark["monotonic"]:
            made = now - (mark["monotonic"] - mutation_mark["monotonic"])
    elif mutation_mark is not None and mutation_mark["boot"] in (boots or {}):
        made = boots[mutation_mark["boot"]] + mutation_mark["monotonic"]
    if made is not None:
        if abs(milliseconds - made) > TOLERANCE:
            milliseconds = made
    elif offset:
        milliseconds -= offset
    return offset, min(time_text(max(milliseconds, 0), counter), time_text(now))


class Row:
    """Registers of a row: `values` and `stamps` by field, and the deletion."""

    def __init__(self, fields, stamp, stamps, deleted, deletion):
        self.values = dict(fields)
        self.row_stamp = stamp
        self.stamps = dict(stamps)
        self.deleted = deleted
        self.deletion = deletion or stamp

    def merge(self, declared, mutation):
        """Merges a mutation with its effective stamp; returns what gave way, as the vectors write it."""
        stamp, base = mutation["stamp"], mutation.get("base")
        if "deleted" in mutation:
            return self._merge_deletion(mutation["deleted"], stamp, base)
        losses = []
        for field, value in mutation["fields"].items():
            known = next((entry for entry in declared if entry["name"] == field), None)
            if known is None and field not in self.stamps:
                # Nobody declared it, and the row never had it: there is nothing to give way.
                self.values[field], self.stamps[field] = value, stamp
                continue
            old, current = self.values.get(field), self.stamps.get(field, self.row_stamp)
            seen = _has_seen(current, base, stamp)
            wins = _wins(known or {}, value, stamp, old, current, seen)
            if old == value:
                wins = stamp > current
            else:
                fills = wins and old is None and known is not None
                losses.append(_loss(field, old, current, value, stamp, wins, not seen and not fills))
            if wins:
                self.values[field], self.stamps[field] = value, stamp
        return losses

    def _merge_deletion(self, deleted, stamp, base):
        current, was = self.deletion, self.deleted
        wins = stamp > current
        if wins:
            self.deleted, self.deletion = deleted, stamp
        if was == deleted:
            return []
        # The later author is the stored one if the incoming value loses; only then can the loss be unseen.
        return [_loss("deleted", was, current, deleted, stamp, wins, not wins and not _has_seen(current, base, stamp))]


def _has_seen(current, base, stamp):
    return parse_stamp(current)[2] == parse_stamp(stamp)[2] or (base is not None and base >= current)


def _wins(declared, value, stamp, old, current, seen):
    if "rank" not in declared:
        return stamp > current
    if value == declared["reopens"] and seen and stamp > current:
        return True
    rank = {name: place for place, name in enumerate(declared["rank"])}
    incoming, stored = rank.get(value, -1), rank.get(old, -1)
    return stamp > current if incoming == stored else incoming > stored


def _loss(field, old, current, value, stamp, wins, hard):
    if wins:
        return {"field": field, "value": old, "stamp": current, "winner": stamp, "hard": hard, "incoming": False}
    return {"field": field, "value": value, "stamp": stamp, "winner": current, "hard": hard, "incoming": True}
