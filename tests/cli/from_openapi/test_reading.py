"""What an OpenAPI document says is read with its faults told as those of policies are."""

from __future__ import annotations

from pathlib import Path

import pytest

from authz.cli.from_openapi.reading import read
from authz.errors import PolicyFaults


def test_a_description_brings_the_files_it_refers_to(tmp_path: Path) -> None:
    """They are named from the folder of the document, and nothing else that lies there is read."""
    (tmp_path / "parts").mkdir()
    (tmp_path / "api.yaml").write_text("openapi: 3.1.0\npaths: {/a: {$ref: parts/a.yaml}}")
    (tmp_path / "parts" / "a.yaml").write_text("get: {operationId: read}")
    (tmp_path / "other.yaml").write_text("a: [")
    found = read(tmp_path / "api.yaml")

    assert set(found.files) == {"api.yaml", "parts/a.yaml"}
    assert [operation.id for operation in found.description.operations] == ["read"]


def test_faults_are_told_with_their_place(tmp_path: Path) -> None:
    """A document with faults makes no policies."""
    file = tmp_path / "api.yaml"
    file.write_text("openapi: 3.1.0\npaths: {/a: {get: {paramters: []}}}")

    with pytest.raises(PolicyFaults, match=r'api\.yaml:2:20: AZ208 unknown key "paramters"'):
        read(file)


def test_types_that_cannot_be_checked_are_a_fault_unless_they_are_said_to_be(tmp_path: Path) -> None:
    """Whoever imports says which bodies go through unread."""
    file = tmp_path / "api.yaml"
    file.write_text(
        "openapi: 3.1.0\npaths: {/a: {post: {requestBody: {content: {application/xml: {schema: {type: object}}}}}}}"
    )

    with pytest.raises(PolicyFaults, match="cannot be checked here"):
        read(file)
    assert read(file, ("application/xml",)).description.operations
