"""Tests of the small grammars inside scalars."""

from __future__ import annotations

import ipaddress
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.policy.codes import Code
from authz.policy.documents import grammar
from authz.policy.documents.grammar import Unfit
from authz.policy.source import Boolean, Mapping, Null, Number, Scalar, Sequence, Source, Text


def text(value: str, kind: type[Scalar] = Text) -> Scalar:
    """Return a scalar as if it stood alone in a file."""
    return kind.at(value, Source("p.yaml", value), 0, len(value))


def refused(function: object, value: str, *arguments: object, kind: type[Scalar] = Text) -> str:
    """Return the code of the one fault that a function raises."""
    assert callable(function)
    with pytest.raises(Unfit) as raised:
        function(text(value, kind), *arguments)
    (fault,) = raised.value.faults
    assert (fault.line, fault.column) == (1, 1)
    return fault.code


@pytest.mark.parametrize("value", ["a", "A1", "orders", "team.orders_v1-x", "0", "a" * 63])
def test_a_name(value: str) -> None:
    """Letters, digits, dots, underscores and hyphens make a name."""
    assert grammar.name(text(value)) == value


@pytest.mark.parametrize("value", ["", "-a", "a-", "a b", "a/b", "ä", "a\n", "a" * 64, "."])
def test_no_name(value: str) -> None:
    """Slashes, spaces, other letters and long names are refused: records write `document/rule`."""
    assert refused(grammar.name, value) == Code.NAME


@pytest.mark.parametrize("value", ["a", "_a", "risky_networks", "A1"])
def test_an_identifier(value: str) -> None:
    """What expressions read behind a dot is an identifier."""
    assert grammar.identifier(text(value)) == value


@pytest.mark.parametrize("value", ["", "1a", "a-b", "a.b", "in", "true", "null", "a\n", "a" * 64])
def test_no_identifier(value: str) -> None:
    """Hyphens, dots and words of CEL would read as something else in an expression."""
    assert refused(grammar.identifier, value) == Code.NAME


def test_an_identifier_is_suggested() -> None:
    """A name with a hyphen comes with the spelling that works."""
    with pytest.raises(Unfit) as raised:
        grammar.identifier(text("own-tenant"))  # type: ignore[arg-type]
    assert raised.value.faults[0].hint == 'write "own_tenant"'


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("90s", 90),
        ("5m", 300),
        ("24h", 86400),
        ("7d", 604800),
        ("1h30m", 5400),
        ("250ms", 0.25),
        ("1m500ms", 60.5),
        ("366d", 366 * 86400),
    ],
)
def test_a_duration(value: str, seconds: float) -> None:
    """Numbers with units, the largest first, add up to seconds."""
    assert grammar.duration(text(value)) == seconds  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["", "5", "s", "5 m", "-5m", "1.5h", "30m1h", "5M", "5m\n", "5min", "9999999s"])
def test_no_duration(value: str) -> None:
    """Bare numbers, fractions, signs, spaces and other orders are refused."""
    assert refused(grammar.duration, value) == Code.DURATION


@pytest.mark.parametrize("value", ["0s", "0h0m", "367d", "999999d"])
def test_a_duration_out_of_range(value: str) -> None:
    """R13: a duration is longer than nothing and at most a year."""
    assert refused(grammar.duration, value) == Code.RANGE


@given(st.integers(0, 300), st.integers(0, 23), st.integers(0, 59), st.integers(1, 59))
def test_durations_add_up(days: int, hours: int, minutes: int, seconds: int) -> None:
    """Law: the parts of a duration add up."""
    value = f"{days}d{hours}h{minutes}m{seconds}s"
    assert grammar.duration(text(value)) == ((days * 24 + hours) * 60 + minutes) * 60 + seconds  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "rate"), [("3/minute", (3, 60)), ("1/second", (1, 1)), ("0/hour", (0, 3600)), ("1000/day", (1000, 86400))]
)
def test_a_rate(value: str, rate: tuple[int, float]) -> None:
    """N per second, minute, hour or day; 0 admits nothing."""
    assert grammar.rate(text(value), 1000) == rate


@pytest.mark.parametrize(
    "value", ["3", "3/min", "3 / minute", "-3/minute", "3/minutes", "/day", "3/minute\n", "1.5/day", "9" * 11 + "/day"]
)
def test_no_rate(value: str) -> None:
    """R13: signs, fractions, other words and other spellings are refused."""
    assert refused(grammar.rate, value, 1000) == Code.RATE


def test_a_rate_out_of_range() -> None:
    """R13: more requests than a limit can count are refused."""
    assert refused(grammar.rate, "1001/day", 1000) == Code.RANGE


@pytest.mark.parametrize("value", ["0", "7", "+7", "10"])
def test_a_whole_number(value: str) -> None:
    """Whole numbers inside their range are read."""
    assert grammar.whole(text(value, Number), 0, 10) == int(value)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("-1", Code.RANGE),
        ("11", Code.RANGE),
        ("9" * 5000, Code.RANGE),
        ("1.0", Code.TYPE),
        ("1e1", Code.TYPE),
        ("0x1", Code.TYPE),
    ],
)
def test_no_whole_number(value: str, code: str) -> None:
    """R13: fractions, other bases and numbers of five thousand digits are refused, and nothing wraps."""
    assert refused(grammar.whole, value, 0, 10, kind=Number) == code


@pytest.mark.parametrize("value", ["203.0.113.0/24", "203.0.113.7", "2001:db8::/32", "::1", "0.0.0.0/0"])
def test_a_network(value: str) -> None:
    """Networks and addresses of both versions."""
    assert grammar.network(text(value)) == value  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "203.0.113.1/24",
        "203.0.113.0/33",
        "10.0.0",
        "010.0.0.1",
        "::ffff:10.0.0.0/104",
        "fe80::1%eth0",
        "example.com",
        "10.0.0.0/8 ",
    ],
)
def test_no_network(value: str) -> None:
    """H9: host bits, leading zeros, zone ids and IPv4 in the clothes of IPv6 are refused, not guessed at."""
    assert refused(grammar.network, value) == Code.NETWORK


@given(st.ip_addresses(), st.integers(0, 128))
def test_networks_are_those_of_the_standard_library(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, prefix: int
) -> None:
    """Law: a network is accepted exactly where the standard library accepts it strictly (IPv4 as IPv6 aside)."""
    value = f"{address}/{prefix}"
    try:
        found = ipaddress.ip_network(value)
    except ValueError:
        assert refused(grammar.network, value) == Code.NETWORK
    else:
        mapped = isinstance(found, ipaddress.IPv6Network) and found.network_address.ipv4_mapped
        assert mapped or grammar.network(text(value)) == value  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["a.json", "schemas/order.schema.json", "a b.csv", "..a", "a..b/c", ".hidden"])
def test_a_file(value: str) -> None:
    """A file is named relative to the document."""
    assert grammar.file_name(text(value)) == value  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value", ["", "/etc/passwd", "../a", "a/../b", "a/..", ".", "./a", "a//b", "a/", "a\\b", "a\x00", "a\n"]
)
def test_no_file(value: str) -> None:
    """No file above the document's folder can be named, in any spelling."""
    assert refused(grammar.file_name, value) == Code.FILE


@given(st.text("./a\\", max_size=12))
def test_no_file_leaves_its_folder(value: str) -> None:
    """Law: a name that is accepted has no step that leads up or out."""
    try:
        grammar.file_name(text(value))  # type: ignore[arg-type]
    except Unfit:
        return
    assert not {"", ".", ".."} & set(re.split(r"[/\\]", value))


@pytest.mark.parametrize("value", ["", " ", "\n"])
def test_an_empty_expression_is_none(value: str) -> None:
    """An expression says something."""
    assert refused(grammar.cel, value) == Code.TYPE


def test_nodes_become_plain_values() -> None:
    """Data has plain values: nothing in it knows a place, and nothing is converted that was a text."""
    root = Mapping(
        {
            "a": text("no"),
            "b": Sequence(
                [text("1.5", Number), text("true", Boolean), text("", Null), text("0x1F", Number), text("0o17", Number)]
            ),
        }
    )
    found = grammar.plain(root)

    assert found == {"a": "no", "b": [1.5, True, None, 31, 15]}
    assert isinstance(found, dict)
    assert type(found["a"]) is str
    assert {type(key) for key in found} == {str}
    with pytest.raises(TypeError):
        grammar.plain(object())


@pytest.mark.parametrize(
    ("value", "number"),
    [(str(2**64 - 1), 2**64 - 1), (str(-(2**63)), -(2**63)), ("1e308", 1e308), ("-0", 0), ("1.", 1.0), (".5", 0.5)],
)
def test_a_number_that_expressions_can_hold(value: str, number: float) -> None:
    """Numbers are 64 bits, signed or unsigned, or finite doubles."""
    assert grammar.number(text(value, Number)) == number  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [str(2**64), str(-(2**63) - 1), "9" * 5000, "0x" + "f" * 50, "1e999", "-1e999"])
def test_a_number_that_no_expression_can_hold(value: str) -> None:
    """R13: larger numbers are refused; nothing wraps, and nothing is infinite."""
    assert refused(grammar.number, value, kind=Number) == Code.RANGE


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_doubles_survive(value: float) -> None:
    """Law: a double that is written is the double that is read."""
    found = grammar.number(text(repr(value), Number))  # type: ignore[arg-type]
    assert math.copysign(1, found) == math.copysign(1, value) or found == 0
    assert found == value
