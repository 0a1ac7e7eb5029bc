"""Tests of the kinds of document."""

from __future__ import annotations

from collections.abc import Callable

import pydantic
import pytest

from authz.model import Mode
from authz.policy.codes import Code
from authz.policy.documents import KINDS, Data, FileReference, Guardrail, Policy

Faults = Callable[..., list[tuple[str, str]]]


def test_the_table_of_kinds() -> None:
    """The kinds that are served are a table, and its words are the names of the models."""
    assert {name: model.__name__ for name, model in KINDS.items()} == {name: name for name in KINDS}


def test_a_document_knows_its_name_and_file(policy: Callable[[str], Policy]) -> None:
    """A name is plain for records, and knows its place for faults."""
    found = policy("description: x")

    assert type(found.name) is str
    assert (found.name, found.file) == ("p", "p.yaml")
    assert found.metadata.name.source.place(found.metadata.name.start) == (3, 18)


def test_a_document_does_not_change(policy: Callable[[str], Policy]) -> None:
    """Documents are values: nothing sets a key of one."""
    with pytest.raises(pydantic.ValidationError):
        policy("description: x").spec.mode = Mode.OFF  # type: ignore[misc]


def test_identity_is_required_where_the_author_says_so(policy: Callable[[str], Policy], faults: Faults) -> None:
    """`required` is `None` where it is not said; without any provider nobody could ever meet it."""
    assert policy("identity: {providers: [staff]}").spec.identity.required is None
    assert policy("identity: {providers: [staff], required: false}").spec.identity.required is False
    assert policy("description: x").spec.identity.providers == ()
    assert faults("identity: {required: true}") == [(Code.TOGETHER, "required")]
    assert faults("identity: {providers: [staff], required: yes}") == [(Code.TYPE, "yes")]


def test_variables_are_names_and_expressions(policy: Callable[[str], Policy], faults: Faults) -> None:
    """Variables have names that expressions can read."""
    assert policy("variables: {a: x, b: 1}").spec.variables == {"a": "x", "b": "1"}
    assert faults("variables: {a-b: x, in: y, c: }") == [(Code.NAME, "a-b"), (Code.NAME, "in"), (Code.TYPE, "c")]


def test_a_guardrail_governs_every_request_unless_it_says_which(
    guardrail: Callable[[str], Guardrail], faults: Faults
) -> None:
    """Without `match` a guardrail is for all; an empty `match` is a fault and not a guardrail for none."""
    assert guardrail("rules: []").spec.match == ()
    assert faults("match: []", "Guardrail") == [(Code.RANGE, "match")]
    assert faults("identity: {providers: [a]}", "Guardrail") == [(Code.UNKNOWN_KEY, "identity")]


def test_data_is_inline_or_in_a_file(data: Callable[[str], Data]) -> None:
    """Networks, lists and maps stand in the document, or in a file that it names."""
    assert data("networks: [10.0.0.0/8]").spec.networks == ("10.0.0.0/8",)
    assert data("networks: []").spec.networks == ()
    assert data("values: [no, 22:22, 1, null]").spec.values == ["no", "22:22", 1, None]
    assert data("map: {file: a, b: c}").spec.map == {"file": "a", "b": "c"}
    for form in ("networks", "values", "map"):
        reference = getattr(data(f"{form}: {{file: a.txt}}").spec, form)
        assert isinstance(reference, FileReference)
        assert reference.file == "a.txt"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("{}", [(Code.MISSING_KEY, "{")]),
        ("{values: [], map: {}}", [(Code.TOGETHER, "map")]),
        ("{vlaues: []}", [(Code.UNKNOWN_KEY, "vlaues")]),
        ("{values: acme}", [(Code.TYPE, "acme")]),
        ("{values: {fil: a}}", [(Code.UNKNOWN_KEY, "fil")]),
        ("{values: {file: /etc/passwd}}", [(Code.FILE, "/etc/passwd")]),
        ("{map: [a]}", [(Code.TYPE, "map")]),
        ("{map: }", [(Code.TYPE, "map")]),
        ("{networks: [10.0.0.1/8, x]}", [(Code.NETWORK, "10.0.0.1/8"), (Code.NETWORK, "x")]),
    ],
)
def test_data_that_says_nothing_or_two_things(faults: Faults, spec: str, expected: list[tuple[str, str]]) -> None:
    """A Data document has exactly one form of values."""
    assert faults(spec, "Data") == expected
