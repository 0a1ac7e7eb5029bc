"""Tests of how faults of documents are told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from authz.policy.documents import KINDS, Policy
from authz.policy.documents.faults import keys, parts

Told = Callable[..., str]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("descripton: x", 'unknown key "descripton" (did you mean "description"?)'),
        ("Rules: []", 'unknown key "Rules" (did you mean "rules"?)'),
        ("encodedSlashes: allow", 'unknown key "encodedSlashes" (did you mean "encoded_slashes"?)'),
        ("labels: {}", 'unknown key "labels" (it belongs in metadata)'),
        ("limits: [{name: a, rate: 1/day, hosts: [a]}]", 'unknown key "hosts" (it belongs in spec.match)'),
        ("identity: {zzz: 1}", 'unknown key "zzz" (known here: providers, required, audience)'),
        ("mode: shadwo", 'expected enforce, shadow or off, not "shadwo" (did you mean "shadow"?)'),
        ("mode: zzz", 'expected enforce, shadow or off, not "zzz" ()'),
        ("mode: [off]", "expected enforce, shadow or off, not a list ()"),
        ("mode:", "expected enforce, shadow or off, not nothing ()"),
        ("description: 1.10", 'expected a text, not a number (write "1.10", in quotes)'),
        ("description:", '"description" is empty (give a text, or leave the key out)'),
        ("rules: {a: b}", 'expected a list, not a mapping (write "- " before it)'),
        ("rules: a", "expected a list, not a text (write it in brackets)"),
        ("variables: [a]", "expected a mapping, not a list ()"),
        ("rules: [a]", "expected a mapping, not a text ()"),
        (
            "limits: [{name: a, rate: {requests: '1', per: 1m}}]",
            "expected a number, not a text (write digits, without quotes)",
        ),
        ("identity: {providers: [a], required: 'true'}", "expected true or false, not a text (without quotes)"),
        ("identity: {providers: [a], required: 1}", "expected true or false, not a number (without quotes)"),
        (
            "limits: [{name: a, rate: {requests: 1, per: 90}}]",
            '"90" is not a duration (a number and a unit: 90s, 5m, 24h, 7d, 250ms)',
        ),
        ("limits: [{name: a, rate: 1/day, key: ''}]", "the expression is empty ()"),
        ("limits: [{rate: 1/day}]", '"name" is missing ()'),
        ("limits: [{name: a, rate: {per: 1m}}]", '"requests" is missing from "rate" ()'),
    ],
)
def test_a_fault_says_what_is_wrong_and_how_to_mend_it(told: Told, spec: str, expected: str) -> None:
    """L5: unknown keys come with the nearest key or their home, wrong values with what was expected."""
    assert told(spec) == expected


def test_a_missing_key_that_is_misspelled_is_one_fault(told: Told) -> None:
    """A misspelled key is not also missing."""
    assert told("limits: [{nmae: a, rate: 1/day}]") == 'unknown key "nmae" (did you mean "name"?)'


def test_the_parts_of_a_model_are_found() -> None:
    """Keys are those that are written, and parts are found through lists, unions and optional keys."""
    spec = next(parts(keys(Policy)["spec"]))

    assert {"match", "validate", "limits"} <= keys(spec).keys()
    assert [part.__name__ for part in parts(keys(spec)["limits"])] == ["Limit"]
    assert all("apiVersion" in keys(model) for model in KINDS.values())
