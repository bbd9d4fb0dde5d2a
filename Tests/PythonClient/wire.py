"""The forms of the wire format: stamps, clocks, strict JSON, requests, answers.

Written from Sources/RoostSync/Documentation.docc/WireFormat.md alone, with the standard library alone.
"""

import gzip
import hashlib
import json
import re

PROTOCOL = 1
LAST_MOMENT = 253402300799999
ACTIONS = {"create", "edit", "delete", "restore"}
OUTCOMES = {"applied", "merged", "late", "quarantined", "rejected"}
CODES = {
    "forbidden", "out_of_scope", "invalid", "stale", "duplicate", "gone", "limit", "append_only", "depends_on",
    "invalid_base",
}
ROW = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
SNAPSHOT = re.compile(r"[0-9a-f]{64}")
STAMP = re.compile(r"([0-9a-fA-F]{12})([0-9a-fA-F]{4})-([0-9a-fA-F]{16})")
NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
RUN = re.compile(r"[1-9][0-9]*-[0-9a-fA-F]{16}")
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
BRACKET = re.compile(r"[\[\]{}]")


class WireError(Exception):
    """Bytes that are not what the wire format says."""

    def __init__(self, code, member=None):
        super().__init__(code if member is None else f"{code}: {member}")
        self.code = code
        self.member = member


# Stamps and clocks


def time_text(milliseconds, counter=0):
    return format(milliseconds << 16 | counter, "016x")


def parse_stamp(text):
    """(milliseconds, counter, replica), or None."""
    match = STAMP.fullmatch(text)
    if match is None:
        return None
    return int(match[1], 16), int(match[2], 16), match[3].lower()


def tick(last, wall):
    """The next hybrid time after `last`, as 64 bits, when the wall clock reads `wall` milliseconds."""
    return max(max(wall, 0) << 16, last + 1)


# Strict JSON


def read_json(data):
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise WireError("not_utf8") from None
    if _depth(text) > 32:
        raise WireError("too_deep")
    try:
        value = json.loads(text, parse_constant=_refuse)
    except ValueError:
        raise WireError("malformed_json") from None
    # Only an escape can bring half a surrogate pair in.
    if "\\u" in text and _has_surrogate(value):
        raise WireError("not_utf8")
    return value


def _refuse(_):
    raise ValueError("no JSON number")


def _depth(text):
    depth = greatest = 0
    for bracket in BRACKET.findall(QUOTED.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        greatest = max(greatest, depth)
    return greatest


def _has_surrogate(value):
    if isinstance(value, str):
        return any(0xD800 <= ord(sign) <= 0xDFFF for sign in value)
    if isinstance(value, list):
        return any(map(_has_surrogate, value))
    if isinstance(value, dict):
        return any(_has_surrogate(name) or _has_surrogate(member) for name, member in value.items())
    return False


def write_json(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


# Members of a known type


def whole(value, member=None):
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise WireError("wrong_type", member)
    return value


def text(value, member=None):
    if not isinstance(value, str):
        raise WireError("wrong_type", member)
    return value


def listed(value, member=None):
    if not isinstance(value, list):
        raise WireError("wrong_type", member)
    return value


def mapped(value, member=None):
    if not isinstance(value, dict):
        raise WireError("wrong_type", member)
    return value


def matching(value, pattern, member):
    if not pattern.fullmatch(text(value, member)):
        raise WireError("out_of_range", member)
    return value.lower()


def one_of(value, allowed, member):
    if text(value, member) not in allowed:
        raise WireError("out_of_range", member)
    return value


def scope_name(value, member="scope"):
    kind, colon, key = text(value, member).partition(":")
    if not NAME.fullmatch(kind) or (colon and not ROW.fullmatch(key)):
        raise WireError("out_of_range", member)
    return value


def needed(holder, member, missing=None):
    if member not in holder:
        raise WireError("missing_member", missing or member)
    return holder[member]


# Requests


def make_request(replica, now, *, catalogue=0, incarnation=1, epoch=None, mark=None, mutations=(), scopes=(),
                 page_bytes=None, answered=None, unrecovered=0, snapshots=False, boots=None, run=None, purged=None,
                 owed=False):
    """A request in its canonical form: what is empty or null is left out."""
    request = {"protocol": PROTOCOL, "catalogue": catalogue, "replica": replica.lower(), "incarnation": incarnation}
    if epoch is not None:
        request["epoch"] = epoch
    if run is not None:
        request["run"] = run
    request["now"] = now
    if mark is not None:
        request["mark"] = mark
    if boots:
        request["boots"] = boots
    if mutations:
        request["mutations"] = [make_mutation(**mutation) for mutation in mutations]
    if scopes:
        request["scopes"] = [
            {"scope": scope["scope"], "epoch": scope.get("epoch", 0), "cursor": scope.get("cursor", 0)}
            for scope in scopes
        ]
    if purged is not None:
        request["purged"] = {"rows": purged["rows"], "digest": purged["digest"]}
    if owed:
        request["owed"] = True
    if page_bytes is not None:
        request["page_bytes"] = page_bytes
    if answered is not None:
        request["answered"] = answered
    if unrecovered:
        request["unrecovered"] = unrecovered
    if snapshots:
        request["snapshots"] = True
    return request


def make_mutation(number, collection, row, action, time, group=None, mark=None, base=None, fields=None,
                  recovered=None, seen=None):
    mutation = {"number": number}
    if group is not None:
        mutation["group"] = group
    mutation.update(collection=collection, row=row.lower(), action=action, time=time)
    if mark is not None:
        mutation["mark"] = mark
    if base is not None:
        mutation["base"] = base
    if seen is not None:
        mutation["seen"] = seen
    if recovered is not None:
        mutation["recovered"] = recovered
    if fields:
        mutation["fields"] = fields
    return mutation


# Answers


def read_answer(data):
    """An answer with every member that may be left out put in."""
    answer = mapped(read_json(data))
    if whole(needed(answer, "protocol"), "protocol") != PROTOCOL:
        raise WireError("unsupported_version", "protocol")
    read = {
        "now": whole(needed(answer, "now"), "now"),
        "epoch": text(needed(answer, "epoch"), "epoch"),
        "offset": whole(answer.get("offset", 0), "offset"),
        "expected": whole(needed(answer, "expected"), "expected"),
        "verdicts": [_verdict(verdict) for verdict in listed(answer.get("verdicts", []))],
        "lost": [scope_name(scope, "lost") for scope in listed(answer.get("lost", []))],
        "scopes": [_page(page) for page in listed(answer.get("scopes", []))],
    }
    if "run" in answer:
        read["run"] = matching(answer["run"], RUN, "run")
    # Only after a break in the server's history, or in the replica's identity.
    if "known" in answer:
        read["known"] = _known(answer["known"])
    if answer.get("copied", False) is True:
        read["copied"] = True
    # Only around something that was taken away.
    for member in ("purged", "owed"):
        if answer.get(member, False) is True:
            read[member] = True
    return read


def holding_digest(held):
    """What is said of the rows held, (scope, collection, row) each: the exclusive or of their 64-bit FNV-1a hashes."""
    digest = 0
    for triple in held:
        hashed = 0xCBF29CE484222325
        for byte in " ".join(triple).encode("utf-8"):
            hashed = (hashed ^ byte) * 0x100000001B3 % (1 << 64)
        digest ^= hashed
    return format(digest, "016x")


def number_of_run(run):
    """Which start of the server a run is; 0 for none."""
    return int(run.partition("-")[0]) if run else 0


def _known(known):
    return {name: whole(needed(mapped(known), name), name) for name in ("incarnation", "number")}


def _verdict(verdict):
    whole(needed(mapped(verdict), "number"), "number")
    one_of(needed(verdict, "verdict"), OUTCOMES, "verdict")
    if "code" in verdict:
        one_of(verdict["code"], CODES, "code")
    if "stamp" in verdict:
        matching(verdict["stamp"], STAMP, "stamp")
    return verdict


def _page(page):
    snapshot = page.get("snapshot")
    return {
        "scope": scope_name(needed(mapped(page), "scope")),
        "epoch": whole(needed(page, "epoch"), "epoch"),
        "cursor": whole(needed(page, "cursor"), "cursor"),
        "more": page.get("more", False) is True,
        "rows": [_row(row) for row in listed(needed(page, "rows"))],
        "left": [
            {"collection": text(needed(mapped(left), "collection")), "row": matching(left["row"], ROW, "row")}
            for left in listed(page.get("left", []))
        ],
        "must_resnapshot": page.get("must_resnapshot", False) is True,
        "snapshot": None if snapshot is None else _snapshot(mapped(snapshot)),
        "wait": None if page.get("wait") is None else whole(page["wait"], "wait"),
    }


def _snapshot(snapshot):
    numbers = {name: whole(needed(snapshot, name), name) for name in ("sequence", "rows", "bytes", "size")}
    return {"id": matching(needed(snapshot, "id"), SNAPSHOT, "id"), **numbers}


def read_snapshot(data, snapshot):
    """The rows of a snapshot's file, which must be what was announced."""
    if len(data) != snapshot["bytes"] or hashlib.sha256(data).hexdigest() != snapshot["id"]:
        raise WireError("malformed_json", "snapshot")
    lines = gzip.decompress(data).splitlines()
    if len(lines) != snapshot["rows"]:
        raise WireError("malformed_json", "snapshot")
    return [_row(read_json(line)) for line in lines]


def _row(row):
    for member in ("collection", "row", "stamp"):
        needed(mapped(row), member, missing="row")
    return {
        "collection": text(row["collection"]),
        "row": matching(row["row"], ROW, "row"),
        "sequence": whole(needed(row, "sequence"), "sequence"),
        "stamp": matching(row["stamp"], STAMP, "stamp"),
        "fields": mapped(row.get("fields", {})),
        "stamps": {name: matching(stamp, STAMP, name) for name, stamp in mapped(row.get("stamps", {})).items()},
        "masked": listed(row.get("masked", [])),
        "deleted": None if row.get("deleted") is None else matching(row["deleted"], STAMP, "deleted"),
        "version": None if row.get("version") is None else matching(row["version"], STAMP, "version"),
    }
