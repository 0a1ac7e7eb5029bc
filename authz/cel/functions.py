"""The functions expressions can call beside CEL's own: pure, bounded, without I/O (threat C18).

The registry is the whole list. Each function has a line for the reference and an example that is true on every engine.
A function that has no value for its arguments raises `NoValueError`; anything else it raises is a bug. `INTERNAL` are
functions nobody writes: `rewrite` puts them where an engine's own would be slow or unbounded.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import msgspec

from authz.cel import indexes, networks, patterns, secrets
from authz.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NETWORK_SET,
    NULL,
    SECRET,
    STRING,
    TIMESTAMP,
    UINT,
    CelType,
    list_of,
    map_of,
)
from authz.cel.values import MAX_TEXT, NoValueError, equal, within

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MAX_COMPARISONS = 100_000
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPED = tuple(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in range(256))
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPE = re.compile(rb"%(..)")
_ANY_LIST = list_of(DYN)
_KEYS = (BOOL, INT, UINT, DOUBLE, STRING)
_KINDS = (*_KEYS, BYTES, TIMESTAMP, DURATION, NULL, _ANY_LIST, map_of(DYN, DYN))


class Overload(msgspec.Struct, frozen=True, kw_only=True):
    """One way to call a function; of a member the first parameter is the receiver."""

    id: str
    parameters: tuple[CelType, ...]
    result: CelType
    member: bool = False
    call: Callable[..., object]


class Function(msgspec.Struct, frozen=True, kw_only=True):
    """One function. `usage` and `example` are CEL; `check` reads a last argument that has to be a literal."""

    name: str
    usage: str = ""
    doc: str = ""
    example: str = ""
    overloads: tuple[Overload, ...] = ()
    check: Callable[[str], object] | None = None


def has_any(left: Sequence[object], right: Sequence[object]) -> bool:
    """Return whether two lists share an element."""
    if _hashable(left, right):
        return not set(left).isdisjoint(right)
    return any(_has(right, element) for element in left)


def has_all(left: Sequence[object], right: Sequence[object]) -> bool:
    """Return whether one list has every element of another."""
    if _hashable(left, right):
        return set(left).issuperset(right)
    return all(_has(left, element) for element in right)


def _hashable(left: Sequence[object], right: Sequence[object]) -> bool:
    """Return whether Python's sets see two lists as CEL does; refuse lists too long to be compared one by one."""
    if all(type(element) is str for element in (*left, *right)):
        return True
    if len(left) * len(right) > _MAX_COMPARISONS:
        raise NoValueError("the lists are too long to be compared")
    return False


def _has(elements: Sequence[object], wanted: object) -> bool:
    return any(equal(element, wanted) for element in elements)


def url_encode(text: str) -> str:
    """Return a text percent-encoded, all but the unreserved characters of RFC 3986."""
    return "".join(map(_ESCAPED.__getitem__, text.encode()))


def url_decode(text: str) -> str:
    """Return a text with its percent-escapes decoded once; `+` stays what it is."""
    if _BAD_ESCAPE.search(text):
        raise NoValueError("not percent-encoded")
    try:
        decoded = _ESCAPE.sub(lambda escape: bytes.fromhex(escape[1].decode()), text.encode()).decode()
    except UnicodeDecodeError:
        raise NoValueError("not percent-encoded UTF-8") from None
    if "\0" in decoded:
        raise NoValueError("holds NUL")
    return decoded


def sha256(content: str | bytes) -> str:
    """Return the SHA-256 of a text (in UTF-8) or of bytes, in lower-case hex."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def replace(text: str, old: str, new: str, limit: int = -1) -> str:
    """Return a text with `old` replaced by `new`, `limit` times or, if negative, everywhere."""
    found = text.count(old)
    times = found if limit < 0 else min(found, limit)
    if len(text) + times * (len(new) - len(old)) > MAX_TEXT:
        raise NoValueError("the result is too large")
    return text.replace(old, new, limit)


def join(parts: Sequence[object], separator: str = "") -> str:
    """Return texts joined by a separator."""
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) < len(parts):
        raise NoValueError("only strings can be joined")
    if sum(map(len, texts)) + len(texts) * len(separator) > MAX_TEXT:
        raise NoValueError("the result is too large")
    return within(separator.join(texts))


def _both(name: str, call: Callable[..., object]) -> tuple[Overload, ...]:
    """Return the overloads of a predicate on two lists, which reads well as a function and as a member."""
    lists = (_ANY_LIST, _ANY_LIST)
    return (
        Overload(id=f"{name}_list_list", parameters=lists, result=BOOL, call=call),
        Overload(id=f"list_{name}_list", parameters=lists, result=BOOL, member=True, call=call),
    )


def _one(id_: str, *parameters: CelType, result: CelType, member: bool, call: Callable[..., object]) -> Overload:
    return Overload(id=id_, parameters=parameters, result=result, member=member, call=call)


def _of_any_kind(
    name: str, result: CelType, call: Callable[..., object], kinds: Sequence[CelType] = _KINDS
) -> tuple[Overload, ...]:
    """Return the overloads of a function that asks something about a value of any kind, by number."""
    return tuple(_one(f"{name}_{kind.kind}", kind, INT, result=result, member=False, call=call) for kind in kinds)


FUNCTIONS: tuple[Function, ...] = (
    Function(
        name="inCidr",
        usage="ip.inCidr(network)",
        doc="Whether an address is in a network; the network is a literal. Text that is no address is an error.",
        example='"10.1.2.3".inCidr("10.0.0.0/8") && !"2001:db8::1".inCidr("10.0.0.0/8")',
        overloads=(_one("string_in_cidr", STRING, STRING, result=BOOL, member=True, call=networks.in_cidr),),
        check=networks.network,
    ),
    Function(
        name="inSet",
        usage="ip.inSet(data.name)",
        doc="Whether an address is in the `networks` of a `Data` document; text that is no address is an error.",
        example='"203.0.113.9".inSet(data.networks) && !"::1".inSet(data.networks)',
        overloads=(_one("string_in_set", STRING, NETWORK_SET, result=BOOL, member=True, call=networks.in_set),),
    ),
    Function(
        name="glob",
        usage="path.glob(pattern)",
        doc="Whether a path has the segments of a pattern: `*` is one segment, `/**` at the end any number; a literal.",
        example='"/v1/orders/7".glob("/v1/orders/*") && "/v1/orders".glob("/v1/**")',
        overloads=(_one("string_glob", STRING, STRING, result=BOOL, member=True, call=patterns.glob),),
        check=patterns.check_glob,
    ),
    Function(
        name="hasAny",
        usage="hasAny(list, list), list.hasAny(list)",
        doc="Whether two lists share an element.",
        example='hasAny(["a", "b"], ["b", "c"]) && !["a"].hasAny([])',
        overloads=_both("has_any", has_any),
    ),
    Function(
        name="hasAll",
        usage="hasAll(list, list), list.hasAll(list)",
        doc="Whether the first list has every element of the second.",
        example='hasAll(["a", "b"], ["b"]) && ["a"].hasAll([])',
        overloads=_both("has_all", has_all),
    ),
    Function(
        name="url.encode",
        usage="url.encode(string)",
        doc="The text percent-encoded, all but the unreserved characters of RFC 3986.",
        example='url.encode("a b&c/é") == "a%20b%26c%2F%C3%A9"',
        overloads=(_one("url_encode_string", STRING, result=STRING, member=False, call=url_encode),),
    ),
    Function(
        name="url.decode",
        usage="url.decode(string)",
        doc="The text with percent-escapes decoded once; a bad escape, bad UTF-8 or NUL is an error.",
        example='url.decode("a%20b%2526") == "a b%26"',
        overloads=(_one("url_decode_string", STRING, result=STRING, member=False, call=url_decode),),
    ),
    Function(
        name="hash.sha256",
        usage="hash.sha256(string or bytes)",
        doc="The SHA-256 in lower-case hex; of a string, of its UTF-8.",
        example='hash.sha256("abc").startsWith("ba7816bf") && hash.sha256("abc") == hash.sha256(b"abc")',
        overloads=(
            _one("hash_sha256_string", STRING, result=STRING, member=False, call=sha256),
            _one("hash_sha256_bytes", BYTES, result=STRING, member=False, call=sha256),
        ),
    ),
    Function(
        name="hash.hmac_sha256",
        usage="hash.hmac_sha256(data.name, string or bytes)",
        doc="The HMAC-SHA-256 under the `secret` of a `Data` document, in lower-case hex; of a string, of its UTF-8.",
        example='hash.hmac_sha256(data.secret, "Hello, World!").startsWith("757107ea0eb2509fc211221cce984b8a")',
        overloads=(
            _one("hash_hmac_sha256_string", SECRET, STRING, result=STRING, member=False, call=secrets.hmac_sha256),
            _one("hash_hmac_sha256_bytes", SECRET, BYTES, result=STRING, member=False, call=secrets.hmac_sha256),
        ),
    ),
    Function(
        name="hash.equal",
        usage="hash.equal(string, string)",
        doc="Whether two texts are the same, in a time that does not tell where they differ: for signatures.",
        example='hash.equal("abc", "abc") && !hash.equal("abc", "abd")',
        overloads=(_one("hash_equal_strings", STRING, STRING, result=BOOL, member=False, call=secrets.equal),),
    ),
    Function(
        name="now",
        usage="now()",
        doc="The time of the request, the same for everything one request evaluates.",
        example='now() == request.time && now() > timestamp("2020-01-01T00:00:00Z")',
    ),
)
"""What a policy can call, beside CEL's standard library and the extensions."""

INTERNAL: tuple[Function, ...] = (
    Function(
        name="@matches",
        overloads=(_one("re2_matches", STRING, STRING, result=BOOL, member=True, call=patterns.matches),),
    ),
    Function(
        name="@replace",
        overloads=(
            _one("bounded_replace", STRING, STRING, STRING, result=STRING, member=True, call=replace),
            _one("bounded_replace_limit", *(STRING,) * 3, INT, result=STRING, member=True, call=replace),
        ),
    ),
    Function(
        name="@join",
        overloads=(
            _one("bounded_join", _ANY_LIST, result=STRING, member=True, call=join),
            _one("bounded_join_separator", _ANY_LIST, STRING, result=STRING, member=True, call=join),
        ),
    ),
    Function(
        name="@in_networks",
        overloads=(_one("networks_by_number", STRING, INT, result=BOOL, member=True, call=networks.in_networks),),
    ),
    Function(name="@in_strings", overloads=_of_any_kind("strings_by_number", BOOL, indexes.in_strings)),
    Function(name="@entry", overloads=_of_any_kind("entry_by_number", DYN, indexes.entry)),
    Function(name="@has_entry", overloads=_of_any_kind("has_entry_by_number", BOOL, indexes.has_entry)),
    Function(name="@has_key", overloads=_of_any_kind("has_key_by_number", BOOL, indexes.has_entry, _KEYS)),
    Function(
        name="@any_in_strings",
        overloads=(_one("any_by_number", _ANY_LIST, INT, result=BOOL, member=False, call=indexes.any_in_strings),),
    ),
    Function(
        name="@all_in_strings",
        overloads=(_one("all_by_number", _ANY_LIST, INT, result=BOOL, member=False, call=indexes.all_in_strings),),
    ),
)
"""What `rewrite` calls."""
