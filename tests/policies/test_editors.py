"""What editors know of the policies that ship: each file names its schema, and the schemas are as the language is."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from authz.policy.documents.grammar import plain
from authz.policy.reading import is_test_file
from authz.policy.schema import schema
from authz.policy.yaml import compose

POLICIES = Path(__file__).parents[2] / "policies"
SCHEMAS: dict[str, dict[str, Any]] = {"policy": schema(), "test": schema("PolicyTest")}
FILES = sorted(file for file in POLICIES.rglob("*.yaml") if b"apiVersion" in file.read_bytes())


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_is_what_the_language_says(kind: str) -> None:
    """`make docs` writes it."""
    assert json.loads((POLICIES / "schema" / f"{kind}.schema.json").read_text()) == SCHEMAS[kind]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(POLICIES)))
def test_a_file_names_a_schema_that_accepts_it(file: Path) -> None:
    """Its first line is what yaml-language-server reads."""
    kind = "test" if is_test_file(file.name) else "policy"
    path = os.path.relpath(POLICIES / "schema" / f"{kind}.schema.json", file.parent)
    assert file.read_text().splitlines()[0] == f"# yaml-language-server: $schema={path}"
    for document in compose(file.name, file.read_bytes()).documents:
        jsonschema.Draft202012Validator(SCHEMAS[kind]).validate(plain(document))
