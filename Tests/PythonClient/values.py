"""Values of fields: what fits a field, and what a masked reader sees.

Written from Sources/RoostSync/Documentation.docc/WireFormat.md alone, with the standard library alone.
"""

import re
import unicodedata

from wire import LAST_MOMENT, ROW, write_json


def problem(kind, value):
    """The code of what is wrong with a value other than null, by its field as `/v1/schema` writes it; None if it fits."""
    name = kind["kind"]
    if name == "boolean":
        return None if isinstance(value, bool) else "wrong_type"
    if name in ("integer", "instant"):
        if type(value) is not int:
            return "wrong_type"
        least, most = (0, LAST_MOMENT) if name == "instant" else (kind["min"], kind["max"])
        return None if least <= value <= most else "out_of_range"
    if name == "tags":
        if not isinstance(value, list):
            return "wrong_type"
        if len(value) > kind["count"]:
            return "too_long"
        for tag in value:
            if not isinstance(tag, str):
                return "wrong_type"
            if characters(tag) > kind["max"]:
                return "too_long"
        return None
    if name == "structure":
        if not isinstance(value, (list, dict)):
            return "wrong_type"
        return "too_long" if len(write_json(value)) > kind["max_bytes"] else None
    if not isinstance(value, str):
        return "wrong_type"
    if name == "reference":
        return None if ROW.fullmatch(value) else "wrong_type"
    if name == "code":
        return None if any(code["value"] == value for code in kind["codes"]) else "unknown_code"
    if name in ("partial_date", "date"):
        return None if _is_date(value, whole_day=name == "date") else "malformed"
    if name == "phone":
        return None if re.fullmatch(r"\+[0-9]{6,15}", value) else "malformed"
    if name == "identity_digest":
        return None if re.fullmatch(r"[0-9a-fA-F]{64}", value) else "malformed"
    if name == "person_name" and not value:
        return "required"
    limit = {"person_name": 50, "email": 254, "url": 2000, "predicate": 2000}.get(name) or kind["max"]
    if characters(value) > limit:
        return "too_long"
    if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", value):
        return "malformed"
    if name == "email":
        local, at, host = value.partition("@")
        return None if local and at and "@" not in host and "." in host and " " not in value else "malformed"
    if name == "url":
        return None if re.match(r"https?://", value) and " " not in value else "malformed"
    return None


def characters(value):
    """How many characters a person would count: marks, and what a joiner joins, belong to the sign before."""
    count = 0
    joined = False
    for sign in value:
        extends = unicodedata.category(sign) in ("Mn", "Me", "Mc") or 0x1F3FB <= ord(sign) <= 0x1F3FF
        if sign == "\u200d":
            joined = True
            continue
        if not extends and not joined:
            count += 1
        joined = False
    return count


def _is_date(value, whole_day):
    match = re.fullmatch(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?", value)
    if match is None or not 1900 <= int(match[1]) <= 2200:
        return False
    year, month, day = (int(part) if part else None for part in match.groups())
    if month is None or day is None:
        return not whole_day and (month is None or 1 <= month <= 12)
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    return 1 <= month <= 12 and 1 <= day <= days[month - 1]


def masked(mask, value):
    """What a masked reader sees of a value."""
    if value is None or mask == "hidden":
        return None
    if mask == "year":
        return value[:4]
    code = next((code for code in ("+852", "+853", "+86") if value.startswith(code)), "+")
    digits = value[len(code):]
    if len(digits) < 8:
        return "*" * len(value)
    shown = digits[:3] + "****" + (digits[-4:] if len(digits) > 8 else digits[-2:])
    return shown if code == "+86" else code + " " + shown
