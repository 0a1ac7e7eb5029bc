"""Entries that count for a time only."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from authz.policy.codes import Code
from authz.policy.documents import Data, Timed
from authz.policy.documents.timed import is_timed

Faults = Callable[..., list[tuple[str, str]]]
EVE = 1_798_675_200.0  # 2026-12-31T00:00:00Z
UNTIL = "2026-12-31T00:00:00Z"


def test_an_entry_may_end_wherever_it_may_stand(data: Callable[[str], Data]) -> None:
    """In networks, lists and maps; why and by whose ticket is kept for people."""
    ended = "{value: %s, until: " + UNTIL + ", reason: pen test, ticket: OPS-1}"
    said = {"until": EVE, "reason": "pen test", "ticket": "OPS-1"}
    assert data(f"networks: [10.0.0.0/8, {ended % '192.0.2.0/24'}]").spec.networks == (
        "10.0.0.0/8", Timed(value="192.0.2.0/24", **said)
    )  # fmt: skip
    assert data(f"values: [1, {ended % '2'}]").spec.values == [1, Timed(value=2, **said)]
    assert data(f"map: {{a: {ended % '{b: c}'}}}").spec.map == {"a": Timed(value={"b": "c"}, **said)}


def test_other_mappings_are_values(data: Callable[[str], Data]) -> None:
    """A mapping that does not say `value` and `until` is data like any other."""
    spec = data("values: [{from: a, until: b}, {value: 5, unit: ms}]").spec
    assert spec.values == [{"from": "a", "until": "b"}, {"value": 5, "unit": "ms"}]
    assert data("map: {a: {value: 5}}").spec.map == {"a": {"value": 5}}


@pytest.mark.parametrize("keys", ["value until", "value untill", "vlaue until", "Value Until", "values until x"])
def test_nearly_the_words_is_meant_to_be_the_words(keys: str) -> None:
    """An exception whose `until` is misspelled must not become a value that never ends."""
    assert is_timed(keys.split())


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (f"values: [{{value: a, untill: {UNTIL}}}]", [(Code.UNKNOWN_KEY, "untill")]),
        (f"map: {{k: {{valeu: a, until: {UNTIL}}}}}", [(Code.UNKNOWN_KEY, "valeu")]),
        (f"map: {{k: {{value: a, until: {UNTIL}, owner: x}}}}", [(Code.UNKNOWN_KEY, "owner")]),
        ("values: [{value: a, until: 2026-12-31}]", [(Code.MOMENT, "2026-12-31")]),
        ("values: [{value: a, until: 2026-02-30T00:00:00Z}]", [(Code.MOMENT, "2026-02-30T00:00:00Z")]),
        ("values: [{value: a, until: 2026}]", [(Code.TYPE, "2026")]),
        (f"values: [{{value: a, until: {UNTIL}, ticket: 12}}]", [(Code.TYPE, "12")]),
        ("networks: [{value: 10.0.0.0/8}]", [(Code.MISSING_KEY, "{")]),
        (f"networks: [{{until: {UNTIL}}}]", [(Code.MISSING_KEY, "{")]),
        ("networks: [7]", [(Code.TYPE, "7")]),
        (
            "networks: [{value: 10.0.0.1/8, until: soon}, x]",
            [(Code.NETWORK, "10.0.0.1/8"), (Code.MOMENT, "soon"), (Code.NETWORK, "x")],
        ),
    ],
)
def test_what_is_wrong_with_an_entry(faults: Faults, spec: str, expected: list[tuple[str, str]]) -> None:
    """Each fault at its word, all of all entries at once."""
    assert faults(f"{{{spec}}}", "Data") == expected
