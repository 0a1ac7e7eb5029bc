"""Tests of what a validation may say."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from authz.policy.codes import Code
from authz.policy.documents import Policy

Faults = Callable[..., list[tuple[str, str]]]


@pytest.mark.parametrize(
    ("validation", "expected"),
    [
        ("{name: a}", (Code.MISSING_KEY, "{")),
        ("{name: a, when: x}", (Code.MISSING_KEY, "{")),
        ("{name: a, max_bytes: -1}", (Code.RANGE, "-1")),
        ("{name: a, max_bytes: 1e3}", (Code.TYPE, "1e3")),
        ("{name: a, max_bytes: 64KiB}", (Code.TYPE, "64KiB")),
        ("{name: a, content_type: json}", (Code.MEDIA_TYPE, "json")),
        ("{name: a, schema: ../a.json}", (Code.FILE, "../a.json")),
        ("{name: a, schema: [a]}", (Code.TYPE, "schema")),
        ("{name: a, schema: {maximum: 1e999}}", (Code.RANGE, "1e999")),
        ("{name: a, query: [a]}", (Code.TYPE, "query")),
        ("{name: a, headers: /a.json}", (Code.FILE, "/a.json")),
        ("{name: a, content_type: text/plain, schema: a.json}", (Code.TOGETHER, "text/plain")),
        ("{name: a, openapi: a.yaml, schema: a.json}", (Code.TOGETHER, "schema")),
        ("{name: a, openapi: a.yaml, query: {}}", (Code.TOGETHER, "query")),
        ("{name: a, max_bytes: 1, unchecked: [a/b]}", (Code.TOGETHER, "unchecked")),
        ("{name: a, max_bytes: 1, undocumented: record}", (Code.TOGETHER, "undocumented")),
        ("{name: a, openapi: a.yaml, undocumented: allow}", (Code.CHOICE, "allow")),
        ("{name: a, openapi: ../a.yaml}", (Code.FILE, "../a.yaml")),
        ("{name: a, shema: a.json}", (Code.UNKNOWN_KEY, "shema")),
    ],
)
def test_a_validation_that_validates_nothing(faults: Faults, validation: str, expected: tuple[str, str]) -> None:
    """A validation names a type, a length or a schema that can be checked."""
    found = faults(f"validate: [{validation}]")

    assert expected in found
    assert len(found) == 1 or expected[1] == "shema"


def test_a_schema_is_a_file_or_inline(policy: Callable[[str], Policy]) -> None:
    """A text is the name of a file, a mapping is the schema itself, as plain values."""
    file, inline = policy("""
        validate:
          - {name: a, schema: order.schema.json}
          - {name: b, schema: {enum: [no, 1, 1.5, true, null, "1"]}}
    """).spec.validations

    assert file.body_schema == "order.schema.json"
    assert inline.body_schema == {"enum": ["no", 1, 1.5, True, None, "1"]}


def test_every_part_of_a_request_has_a_schema_of_its_own(policy: Callable[[str], Policy]) -> None:
    """Query, headers and path parameters have schemas as bodies have, in a file or inline."""
    (found,) = policy("validate: [{name: a, query: q.json, headers: {}, params: p.yaml}]").spec.validations

    assert (found.query, found.headers, found.params, found.body_schema) == ("q.json", {}, "p.yaml", None)
