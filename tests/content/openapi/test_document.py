"""Tests of the walk through a document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from authz.content.openapi.document import Document, Flaw

Read = Callable[[str], object]


def document(root: object, files: dict[str, object] | None = None) -> Document:
    """Return a document with files beside it."""
    return Document(root, (files or {}).__getitem__)


def test_a_reference_leads_to_its_place() -> None:
    """Names in a reference are escaped as in RFC 6901 and as in a URL; lists are counted."""
    walked = document({"$ref": "#/a~1b/%7Bx%7D/1", "a/b": {"{x}": [0, {"found": True}]}}).root.resolved()

    assert walked is not None
    assert walked.value == {"found": True}
    assert walked.place == ("", ("a/b", "{x}", 1))


def test_references_lead_from_file_to_file() -> None:
    """A reference in a file is relative to that file, and stays in the folder of the document."""
    files: dict[str, object] = {"parts/a": {"x": {"$ref": "./b#/y"}}, "parts/b": {"y": {"z": 1}}}
    found = document({"$ref": "parts/a#/x"}, files).root.resolved()

    assert found is not None
    assert (found.place, found.value) == (("parts/b", ("y",)), {"z": 1})


@pytest.mark.parametrize(
    "reference",
    [
        "#/nowhere", "#/list/7", "#/list/x", "#/text/x", "#anchor", "missing.yaml", "../up.yaml", "/etc/passwd",
        "a/../../up.yaml", "https://example.com/a.yaml", "file:///etc/passwd", "a\\b", "#/%zz", "#/%ff",
    ],
)  # fmt: skip
def test_a_reference_that_leads_nowhere_is_a_flaw(reference: str) -> None:
    """L5: what is not there, above the folder or on the network is told at the reference, and nothing is fetched."""
    there = ("../up.yaml", "/etc/passwd", "up.yaml", "a\\b", "https:/example.com/a.yaml", "file:/etc/passwd")
    walked = document({"a": {"$ref": reference}, "list": [1], "text": "t"}, dict.fromkeys(there))
    node = walked.root.get("a")

    assert node is not None
    assert node.resolved() is None
    assert [(flaw.path, reference in flaw.message) for flaw in walked.flaws] == [(("a",), True)]


def test_references_in_a_circle_end() -> None:
    """A reference that leads back to itself is a flaw and no hang."""
    walked = document({"a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}})
    node = walked.root.get("a")

    assert node is not None
    assert node.resolved() is None
    assert [flaw.message for flaw in walked.flaws] == ["the reference leads through too many others, or in a circle"]


@pytest.mark.parametrize(
    ("look", "message"),
    [
        (lambda root: root.only(frozenset({"known"})), 'unknown key "texts"'),
        (lambda root: list(root.members("texts")), '"texts" is a mapping'),
        (lambda root: list(root.elements("map")), '"map" is a list'),
        (lambda root: root.text("texts"), '"texts" is a text'),
        (lambda root: root.flag("map"), '"map" is true or false'),
        (lambda root: root.needed("name"), '"name" is missing'),
    ],
)
def test_what_is_of_another_kind_is_a_flaw(look: Callable[[Any], object], message: str) -> None:
    """Whoever asks for a kind of value gets one to go on with, and the flaw is kept at its place."""
    walked = document({"texts": ["a"], "map": {}, "x-mine": 1})
    look(walked.root)

    assert message in [flaw.message for flaw in walked.flaws]
    assert all(isinstance(flaw, Flaw) for flaw in walked.flaws)


def test_a_flaw_is_told_once() -> None:
    """A part that many refer to is looked at many times, and its flaw is one."""
    walked = document({})
    walked.root.flaw("wrong")
    walked.root.flaw("wrong")

    assert len(walked.flaws) == 1
