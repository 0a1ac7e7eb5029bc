"""The reference of what an expression can read and call."""

from __future__ import annotations

from pathlib import Path

from authz.cel import VARIABLES
from authz.cel.functions import FUNCTIONS
from authz.cel.reference import comments, reference

ROOT = Path(__file__).parents[2]
VOCABULARY = (ROOT / "protos" / "authz" / "v1" / "vocabulary.proto").read_text()
WRITTEN = (ROOT / "authz" / "cel" / "docs" / "reference.md").read_text()


def test_the_reference_is_current() -> None:
    """What is committed is what the code says; `make docs` writes it."""
    assert reference(VOCABULARY) == WRITTEN


def test_every_field_has_a_comment() -> None:
    """The vocabulary explains itself."""
    namespaces = {f"Vocabulary.{name.partition('.')[0]}" for name in VARIABLES if "." in name}
    found = comments(VOCABULARY)
    assert {name for name, text in found.items() if not text.endswith(".")} == namespaces
    assert comments(VOCABULARY)["Request.method"] == "As sent; methods are case-sensitive."
    assert comments(VOCABULARY)["NetworkSet.name"] == "The number of the index."


def test_everything_is_in_the_reference() -> None:
    """Each variable and each function has its row."""
    assert all(f"| `{name}` |" in WRITTEN for name in VARIABLES)
    assert all(f"| `{function.usage}` |" in WRITTEN for function in FUNCTIONS)
