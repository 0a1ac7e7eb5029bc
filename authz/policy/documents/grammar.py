"""The small grammars inside scalars: names, files, numbers, durations, rates, networks.

Every function takes the scalar that was written and returns the value it stands for, or raises `Unfit` with a fault
that says what would fit. What a decision would have to guess at is refused here, where it can still be pointed at.
"""

from __future__ import annotations

import ipaddress
import math
import re
from datetime import datetime
from difflib import get_close_matches
from functools import cache
from typing import NoReturn
from zoneinfo import available_timezones

from authz.errors import Fault
from authz.policy.codes import Code
from authz.policy.source import Boolean, Mapping, Node, Null, Number, Scalar, Sequence, Text, quoted

NAME = r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$"
IDENTIFIER = r"^[A-Za-z_][A-Za-z0-9_]{0,62}$"
DURATION = r"^(?=\d)(\d{1,6}d)?(\d{1,6}h)?(\d{1,6}m)?(\d{1,6}s)?(\d{1,6}ms)?$"
RATE = r"^(\d{1,10})/(second|minute|hour|day|month)$"
TIME_ZONE = r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$"
MOMENT = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})$"
DIGEST = r"^[0-9a-f]{64}$"
FILE = r"^(?!/)(?:(?!\.\.?(?:/|$))[^/\\\x00-\x1f]+(?:/(?!$)|$))+$"

MAX_PERIOD = 366 * 86400.0
"""The longest duration a document can speak of, in seconds."""

MAX_AGE = 400 * 86400.0
"""The longest time for which browsers keep a cookie (RFC 6265bis, section 5.5), in seconds."""

MAX_LEEWAY = 60.0
"""The largest difference of clocks that is forgiven, in seconds."""

# Used with fullmatch: for Python, `$` also stands before a last line break.
_NAME, _IDENTIFIER, _DURATION, _RATE, _FILE = map(re.compile, (NAME, IDENTIFIER, DURATION, RATE, FILE))
_MOMENT, _DIGEST = map(re.compile, (MOMENT, DIGEST))
_RESERVED = re.compile(
    "^(as|break|const|continue|else|false|for|function|if|import|in|let|loop|namespace|null|package|return|true|var|"
    "void|while)$"
)
MONTH = 31 * 86400.0
"""The longest month, in seconds: what `N/month` stands for, which is a rate only with `align: month`."""

_PERIODS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0, "month": MONTH}
_UNITS = (86400.0, 3600.0, 60.0, 1.0, 0.001)
_INTEGER = re.compile(r"[-+]?\d+")


class Unfit(ValueError):
    """A value that does not fit its place."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(*(fault.message for fault in faults))
        self.faults = faults


def refuse(scalar: Scalar, code: Code, message: str, hint: str = "") -> NoReturn:
    """Raise `Unfit` with one fault under the whole scalar."""
    raise Unfit(scalar.fault(code, message, hint=hint))


def name(text: Text) -> Text:
    """Return a name: letters, digits, `.`, `_` and `-`, at most 63, a letter or digit at both ends."""
    if not _NAME.fullmatch(text):
        hint = "letters, digits, '.', '_' and '-', at most 63, a letter or digit at both ends"
        refuse(text, Code.NAME, f"{quoted(text)} is not a name", hint)
    return text


def identifier(text: Text) -> Text:
    """Return a name that CEL can read behind a dot."""
    if not _IDENTIFIER.fullmatch(text):
        snake = re.sub(r"[^A-Za-z0-9_]", "_", text)
        hint = f'write "{snake}"' if _IDENTIFIER.fullmatch(snake) else "letters, digits and '_', at most 63"
        refuse(text, Code.NAME, f"{quoted(text)} is not a name that expressions can read", hint)
    if _RESERVED.fullmatch(text):
        refuse(text, Code.NAME, f"{quoted(text)} is a word of CEL and cannot be a name")
    return text


def said(text: Text) -> Text:
    """Return a text that says something."""
    if not text.strip():
        refuse(text, Code.RANGE, "the text is empty", "leave the key out, or fill it")
    return text


def is_identifier(text: str) -> bool:
    """Tell whether CEL can read a name behind a dot."""
    return bool(_IDENTIFIER.fullmatch(text)) and not _RESERVED.fullmatch(text)


def cel(scalar: Scalar) -> Scalar:
    """Return an expression, which may be as short as `true` or `1` but not empty."""
    if not scalar.strip():
        refuse(scalar, Code.TYPE, "the expression is empty")
    return scalar


def file_name(text: Text) -> Text:
    """Return the name of a file beside the document: relative, and not above its folder."""
    if not _FILE.fullmatch(text):
        refuse(text, Code.FILE, f"{quoted(text)} is not a file beside this one", "a relative path without '..'")
    return text


def network(text: Text) -> Text:
    """Return a network or an address."""
    slip = no_network(text)
    if slip is not None:
        refuse(text, Code.NETWORK, *slip)
    return text


def no_network(text: str) -> tuple[str, str] | None:
    """Return why a text is no network, and how to mend it; `None` for one that is."""
    try:
        found = ipaddress.ip_network("" if "%" in text else text, strict=False)  # a zone id means nothing elsewhere
    except ValueError:
        return f"{quoted(text)} is neither a network nor an address", ""
    if ipaddress.ip_address(text.partition("/")[0]) != found.network_address:
        return f"{quoted(text)} has bits behind its prefix", f'write "{found}"'
    if isinstance(found, ipaddress.IPv6Network) and found.network_address.ipv4_mapped is not None:
        return f"{quoted(text)} is an IPv4 network written as IPv6", "write it as IPv4"
    return None


def flag(scalar: Scalar) -> bool:
    """Return `true` or `false`."""
    return scalar == "true"


def whole(scalar: Scalar, low: int, high: int) -> int:
    """Return a whole number from `low` to `high`."""
    if not _INTEGER.fullmatch(scalar):
        refuse(scalar, Code.TYPE, f"expected a whole number, not {scalar}")
    value = int(scalar) if len(scalar) < 20 else high + 1
    if not low <= value <= high:
        refuse(scalar, Code.RANGE, f"{scalar} is out of range", f"from {low} to {high}")
    return value


def duration(text: Text) -> float:
    """Return seconds: `90s`, `5m`, `1h30m`, `250ms`; more than none, at most a year."""
    seconds = _seconds(text)
    if not 0 < seconds <= MAX_PERIOD:
        refuse(text, Code.RANGE, f"{text} is out of range", "longer than 0s, at most 366d")
    return seconds


def age(text: Text) -> int:
    """Return whole seconds, none included: browsers count no parts of them."""
    seconds = _seconds(text)
    if seconds != int(seconds) or seconds > MAX_AGE:
        refuse(
            text, Code.RANGE, f"{text} is out of range", "whole seconds, at most 400d: browsers keep no cookie longer"
        )
    return int(seconds)


def leeway(text: Text) -> float:
    """Return seconds by which clocks may differ: a minute at most, or a stolen token would live on."""
    seconds = _seconds(text)
    if seconds > MAX_LEEWAY:
        refuse(text, Code.RANGE, f"{text} is out of range", "at most 60s: clocks that differ by more need mending")
    return seconds


def _seconds(text: Text) -> float:
    found = _DURATION.fullmatch(text)
    if not found:
        refuse(text, Code.DURATION, f"{quoted(text)} is not a duration", "a number and a unit: 90s, 5m, 24h, 7d, 250ms")
    parts = zip(found.groups(), _UNITS, strict=True)
    return sum(int(part.rstrip("dhms")) * unit for part, unit in parts if part)


def moment(text: Text) -> float:
    """Return seconds since the epoch of a time in RFC 3339."""
    try:
        if _MOMENT.fullmatch(text):
            return datetime.fromisoformat(text).timestamp()
    except ValueError:
        pass
    refuse(text, Code.MOMENT, f"{quoted(text)} is not a time", "RFC 3339 with its offset: 2026-11-23T12:00:00Z")


def digest(text: Text) -> Text:
    """Return the 64 hex digits of a SHA-256; the message does not repeat what may be the key itself."""
    if not _DIGEST.fullmatch(text):
        hint = "`authz keys new` prints one; the key itself never belongs here"
        message = "expected 64 hex digits in lower case, the digest of a key"
        raise Unfit(text.source.unshown(text.start, Code.DIGEST, message, hint=hint))
    return text


def rate(scalar: Scalar, most: int) -> tuple[int, float]:
    """Return requests and seconds of `3/minute`."""
    found = _RATE.fullmatch(scalar)
    if not found:
        hint = "N/second, N/minute, N/hour, N/day, N/month, or {requests: N, per: 90s}"
        refuse(scalar, Code.RATE, f"{quoted(scalar)} is not a rate", hint)
    if int(found[1]) > most:
        refuse(scalar, Code.RANGE, f"{found[1]} requests are out of range", f"at most {most}")
    return int(found[1]), _PERIODS[found[2]]


def time_zone(text: Text) -> Text:
    """Return a name of the IANA database of time zones, in its own spelling."""
    if text not in _zones():
        spelled = {zone.lower(): zone for zone in _zones()}
        close = get_close_matches(text.lower(), spelled, n=1, cutoff=0.6)
        hint = f'did you mean "{spelled[close[0]]}"?' if close else "a name like Europe/Berlin, or UTC"
        refuse(text, Code.TIME_ZONE, f"{quoted(text)} is not a time zone", hint)
    return text


@cache
def _zones() -> frozenset[str]:
    """Return the zones there are: tables that come with Python, as those of Unicode do, and do not change."""
    return frozenset(available_timezones() - {"localtime", "Factory"})


def plain(node: object) -> object:
    """Return what a node says as plain values: numbers that CEL can hold, texts as `str`, nothing with a place."""
    if isinstance(node, Mapping):
        return {str(key): plain(value) for key, value in node.items()}
    if isinstance(node, Sequence):
        return [plain(value) for value in node]
    if isinstance(node, Text):
        return str(node)
    if isinstance(node, Number):
        return number(node)
    if isinstance(node, Boolean):
        return node == "true"
    if isinstance(node, Null):
        return None
    raise TypeError(f"not a node: {type(node).__name__}")


def numbers(node: Node) -> Node:
    """Return a node as it is; raise `Unfit` where it holds a number that JSON could not carry exactly."""
    plain(node)
    return node


def number(scalar: Number) -> int | float:
    """Return a number as CEL holds it: 64 bits, signed or unsigned, or a finite double."""
    if scalar[:2] in ("0o", "0x"):
        value: int | float = int(scalar, 0) if len(scalar) < 30 else math.inf
    elif _INTEGER.fullmatch(scalar):
        value = int(scalar) if len(scalar) < 30 else math.inf
    else:
        value = float(scalar)
    if not -(2**63) <= value < 2**64 and (isinstance(value, int) or math.isinf(value)):
        refuse(scalar, Code.RANGE, f"no expression can hold the number {scalar}", "quote it")
    return value
