"""Faults of an OpenAPI document are told where they are written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from authz.errors import PolicyFaults
from authz.policy import PolicySet

POLICY = """\
apiVersion: authz/v1
kind: Policy
metadata: {{name: p}}
spec:
  match: [{{paths: ["/**"]}}]
  validate: [{{name: api, openapi: {}}}]
  rules: [{{name: all, allow: true}}]
"""
YAML = """\
openapi: 3.0.3
info: {title: A, version: "1"}
paths:
  /a:
    get:
      paramters: []
      parameters:
        - {name: n, in: query, schema: {type: intger}}
        - $ref: parts/p.yaml#/limit
      responses:
        200: {description: numbers are keys here}
"""
PART = """\
limit:
  name: limit
  in: query
  schema: {minLenght: 1}
"""
REFERS = "openapi: 3.0.0\npaths: {{/a: {{$ref: {}}}}}"
JSON = '{\n\t"openapi": "3.1.0",\n\t"paths": {\n\t\t"/a": {"get": {"requestBody": {}}}\n\t}\n}'


def faults(serve: Callable[..., PolicySet], name: str, **files: str) -> list[str]:
    """Return the faults of a description, as they are told in one line."""
    with pytest.raises(PolicyFaults) as caught:
        serve(POLICY.format(name), **files)
    return [str(fault).partition("\n")[0] for fault in caught.value.faults]


def test_a_fault_has_file_line_and_column(serve: Callable[..., PolicySet]) -> None:
    """L5: also in a file that the document refers to, with the word that was meant; all of them at once."""
    assert faults(serve, "api.yaml", **{"api.yaml": YAML, "parts/p.yaml": PART}) == [
        'api.yaml:6:7: AZ208 unknown key "paramters" (did you mean "parameters"?)',
        "api.yaml:8:47: AZ208 no JSON Schema: there is no such type",
        'parts/p.yaml:4:12: AZ208 unknown word "minLenght" in a schema (did you mean "minLength"?)',
    ]


def test_a_json_document_has_places_too(serve: Callable[..., PolicySet]) -> None:
    """JSON is read strictly, and its faults have a line where YAML would find one."""
    (fault,) = faults(serve, "api.json", **{"api.json": JSON.replace("\t", " ")})

    assert fault.startswith("api.json:4:18: AZ208 a body has a media type")
    assert faults(serve, "api.json", **{"api.json": JSON})[0].startswith("api.json:")
    assert "already given" in faults(serve, "api.json", **{"api.json": '{"a":1,"a":2}'})[0]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, 'p.yaml:6:35: AZ118 the file "api.yaml" is not there'),
        ({"api.yaml": "a: [", }, "api.yaml:1:5: "),
        ({"api.yaml": "a: &b 1"}, "anchors are not read"),
        ({"api.yaml": "swagger: '2.0'"}, "convert it to OpenAPI 3.0 or 3.1"),
        ({"api.yaml": REFERS.format("b.yaml"), "b.yaml": "a: ["}, "b.yaml:1:5: "),
        ({"api.yaml": REFERS.format("../b.yaml"), "../b.yaml": "{}"}, "or below, can be referred to"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_a_fault(
    serve: Callable[..., PolicySet], files: dict[str, str], told: str
) -> None:
    """What is missing is told at the key that names it, what is broken in its own file."""
    assert any(told in fault for fault in faults(serve, "api.yaml", **files))


def test_a_changed_description_is_read_again(serve: Callable[..., PolicySet]) -> None:
    """Whether a policy is kept from one reading to the next depends on every file that its description names."""
    files = {"api.json": '{"openapi": "3.1.0", "paths": {"/a": {"$ref": "a.json"}}}'}
    serve(POLICY.format("api.json"), **files, **{"a.json": '{"get": {}}'})

    assert faults(serve, "api.json", **files, **{"a.json": '{"gett": {}}'})
