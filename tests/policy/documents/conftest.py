"""What the tests of documents share: a policy around one part, and its faults as (code, what the caret underlines)."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from authz.errors import Fault
from authz.policy.documents import Data, Document, Guardrail, Policy
from authz.policy.reading import read

HEADS = {
    "Policy": "apiVersion: authz/v1\nkind: Policy\nmetadata: {name: p}\nspec:\n  match: [{paths: [/**]}]\n",
    "Guardrail": "apiVersion: authz/v1\nkind: Guardrail\nmetadata: {name: g}\nspec:\n",
    "Data": "apiVersion: authz/v1\nkind: Data\nmetadata: {name: d}\nspec:\n",
}


def pointed(fault: Fault) -> str:
    """Return what the caret of a fault underlines."""
    return fault.text[fault.column - 1 : fault.column - 1 + fault.length]


def document(kind: str, spec: str) -> bytes:
    """Return a document of a kind with these lines in its `spec`."""
    return (HEADS[kind] + textwrap.indent(textwrap.dedent(spec), "  ")).encode()


@pytest.fixture
def faults() -> Callable[..., list[tuple[str, str]]]:
    """Read lines of a spec; return the faults as code and underlined text."""

    def read_faults(spec: str, kind: str = "Policy") -> list[tuple[str, str]]:
        reading = read("p.yaml", document(kind, spec))
        assert bool(reading.documents) != bool(reading.faults), "a document is whole, or it has faults"
        return [(str(fault.code), pointed(fault)) for fault in reading.faults]

    return read_faults


@pytest.fixture
def told() -> Callable[..., str]:
    """Read lines of a spec with one fault; return its message and hint."""

    def read_fault(spec: str, kind: str = "Policy") -> str:
        (fault,) = read("p.yaml", document(kind, spec)).faults
        return f"{fault.message} ({fault.hint})"

    return read_fault


def whole(kind: str, spec: str) -> Document:
    """Return a document without faults."""
    reading = read("p.yaml", document(kind, spec))
    assert not reading.faults, "\n".join(map(str, reading.faults))
    return reading.documents[0]


@pytest.fixture
def policy() -> Callable[[str], Policy]:
    """Read lines of a policy's spec."""

    def read_policy(spec: str) -> Policy:
        found = whole("Policy", spec)
        assert isinstance(found, Policy)
        return found

    return read_policy


@pytest.fixture
def guardrail() -> Callable[[str], Guardrail]:
    """Read lines of a guardrail's spec."""

    def read_guardrail(spec: str) -> Guardrail:
        found = whole("Guardrail", spec)
        assert isinstance(found, Guardrail)
        return found

    return read_guardrail


@pytest.fixture
def data() -> Callable[[str], Data]:
    """Read lines of the spec of a Data document."""

    def read_data(spec: str) -> Data:
        found = whole("Data", spec)
        assert isinstance(found, Data)
        return found

    return read_data
