"""Tests of `match`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from authz.policy.codes import Code
from authz.policy.documents import EncodedSlashes, Guardrail, PathParameters, Policy

Faults = Callable[..., list[tuple[str, str]]]


def test_a_key_that_is_left_out_is_none(policy: Callable[[str], Policy]) -> None:
    """Hosts and methods that are not given are `None`, never an empty list that could mean nothing."""
    (entry,) = policy("description: x").spec.match

    assert (entry.hosts, entry.paths, entry.methods) == (None, ("/**",), None)


def test_ambiguous_paths_are_refused_unless_said_otherwise(policy: Callable[[str], Policy]) -> None:
    """Encoded slashes and path parameters are refused by default."""
    spec = policy("description: x").spec
    assert (spec.encoded_slashes, spec.path_parameters) == (EncodedSlashes.REFUSE, PathParameters.REFUSE)

    spec = policy("encoded_slashes: allow\npath_parameters: strip").spec
    assert (spec.encoded_slashes, spec.path_parameters) == (EncodedSlashes.ALLOW, PathParameters.STRIP)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{}", (Code.MISSING_KEY, "{")),
        ("{hosts: []}", (Code.RANGE, "hosts")),
        ("{methods: GET}", (Code.TYPE, "GET")),
        ("{paths: {a: b}}", (Code.TYPE, "paths")),
        ("{paths: [[/a]]}", (Code.TYPE, "[")),
        ("{path: [/a]}", (Code.UNKNOWN_KEY, "path")),
        ("{methods: [404]}", (Code.TYPE, "404")),
        ("{methods: }", (Code.TYPE, "methods")),
        ("/v1/orders", (Code.TYPE, "/v1/orders")),
    ],
)
def test_an_entry_says_what_it_matches(faults: Faults, entry: str, expected: tuple[str, str]) -> None:
    """An entry without keys, empty lists, bare texts and misspelled keys would match more or less than they seem to."""
    assert faults(f"match: [{entry}]", "Guardrail") == [expected]


def test_no_is_a_method_and_not_false(guardrail: Callable[[str], Guardrail]) -> None:
    """L6: in `[GET, NO]` the second method is NO."""
    (entry,) = guardrail("match: [{methods: [GET, NO]}]").spec.match

    assert entry.methods == ("GET", "NO")


def test_every_wrong_item_of_a_list_is_told(faults: Faults) -> None:
    """Two wrong hosts are two faults, and the list is not called empty for having no right one."""
    assert faults("match: [{hosts: [A, 'b:1']}]", "Guardrail") == [(Code.HOST, "A"), (Code.HOST, "'b:1'")]
