"""Validations that no request could meet are faults of the policy, at their place."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from authz.errors import PolicyFaults
from authz.policy import PolicySet

DOCUMENT = """\
apiVersion: authz/v1
kind: Policy
metadata: {{name: p}}
spec:
  match: [{{paths: ["/orders/{{id}}"]}}]
  validate: [{{name: v, {}}}]
  rules: [{{name: all, allow: true}}]
"""


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("params: {properties: {idd: {}}}", 'no path captures "idd" (did you mean "id"?)'),
        ("headers: {properties: {X-Tenant: {}}}", 'headers are compared in lower case, so there is no "X-Tenant"'),
        ("query: {properties: {n: {type: intger}}}", 'no JSON Schema at "/properties/n/type"'),
        ("query: {properties: {n: {$ref: 'https://example.com/a.json'}}}", "https://example.com/a.json"),
        ("query: {properties: {n: {$ref: '../../etc/passwd'}}}", "neither in the schema nor a file beside it"),
        ("query: missing.json", 'the file "missing.json" is not there'),
        ("query: twice.json", '"a" is already given in line 1'),
    ],
)
def test_what_no_request_could_meet_is_a_fault(serve: Callable[..., PolicySet], written: str, message: str) -> None:
    """L5: names that there cannot be, schemas that are none, and references out of the folder are found at load."""
    with pytest.raises(PolicyFaults) as caught:
        serve(DOCUMENT.format(written), **{"twice.json": '{"a":1,"a":2}'})

    (fault,) = caught.value.faults
    assert message in fault.message
    assert fault.line or fault.file == "twice.json"


@pytest.mark.parametrize(
    ("written", "under"),
    [
        ("schema: {properties: {sku: {type: strin}}}", "type"),
        ("query: {type: object, requird: [a]}", "requird"),
        ("headers: {properties: {a: {enum: nothing}}}", "enum"),
        ("schema: {$ref: other.json}", "schema"),
        ("query: {properties: {n: {anyOf: [{type: integer}, {type: txt}]}}}", "type: txt"),
    ],
)
def test_a_fault_in_an_inline_schema_is_shown_in_it(serve: Callable[..., PolicySet], written: str, under: str) -> None:
    """A schema can be long: what is pointed at is the word that is wrong, not the validation it belongs to."""
    text = DOCUMENT.format(written)
    with pytest.raises(PolicyFaults) as caught:
        serve(text)

    (fault,) = caught.value.faults
    assert text.splitlines()[fault.line - 1][fault.column - 1 :].startswith(under)


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("a.json", '{\n  "properties": {\n    "n": {"type": "intger"}\n  }\n}', "a.json:3:11: "),
        ("a.yaml", "properties:\n  n: {minLenght: 1}", "a.yaml:2:7: "),
        ("a.json", '{"$ref": "#/$defs/nowhere"}', "p.yaml:6:32: "),
    ],
)
def test_a_fault_in_a_file_is_told_there(serve: Callable[..., PolicySet], name: str, text: str, place: str) -> None:
    """L5: with line and column, where the engine says so much; else at the key that names the file."""
    with pytest.raises(PolicyFaults) as caught:
        serve(DOCUMENT.format(f"schema: {name}"), **{name: text})

    (fault,) = caught.value.faults
    assert str(fault).startswith(place)


def test_faults_of_several_schemas_are_told_together(serve: Callable[..., PolicySet]) -> None:
    """A document with three bad schemas shows three faults."""
    with pytest.raises(PolicyFaults) as caught:
        serve(DOCUMENT.format("schema: {type: a}, query: {type: a}, headers: {type: a}"))

    assert len(caught.value.faults) == 3


SECURED = """\
openapi: 3.1.0
security: [{staff: []}, {api_key: []}]
paths:
  /a: {get: {}}
  /b: {get: {security: [{staff: [], api_key: []}]}}
components:
  securitySchemes:
    staff: {type: http, scheme: bearer}
    api_key: {type: apiKey, in: header, name: x-key}
"""
ASKING = """\
apiVersion: authz/v1
kind: {}
metadata: {{name: p}}
spec:
  {}
  validate: [{{name: api, openapi: api.yaml{}}}]
"""


@pytest.mark.parametrize(
    ("security", "messages"),
    [
        ("", ['who proves the security scheme "api_key" is not said', "GET /b asks for credentials of two providers"]),
        (", security: ignore", []),
        (", security: {api_key: staff}", []),
        (", security: {api_key: partner}", ["GET /b asks for credentials of two providers at once"]),
        (
            ", security: {api_key: partnr}",
            ['no identity provider of this document is called "partnr" (did you mean "par'],
        ),
        (
            ", security: {api_kee: partner, api_key: staff}",
            ['no operation asks for the security scheme "api_kee" (did'],
        ),
        (", security: {api_key: mesh}", ['no identity provider of this document is called "mesh"']),
    ],
)
def test_every_security_scheme_has_a_provider(
    serve: Callable[..., PolicySet], security: str, messages: list[str]
) -> None:
    """A scheme that nobody proves, or two that nobody proves at once, would lock out or let in without a word."""
    spec = "match: [{paths: ['/**']}]\n  identity: {providers: [staff, partner]}\n  rules: [{name: a, allow: true}]"
    text = ASKING.format("Policy", spec, security)
    if not messages:
        serve(text, **{"api.yaml": SECURED})
        return
    with pytest.raises(PolicyFaults) as caught:
        serve(text, **{"api.yaml": SECURED})
    told = [str(fault) for fault in caught.value.faults]
    assert all(any(message in fault for fault in told) for message in messages)


def test_a_guardrail_may_name_any_provider_there_is(serve: Callable[..., PolicySet]) -> None:
    """It has no identities of its own; whom policies let in is known by one of their providers."""
    serve(ASKING.format("Guardrail", "description: d", ", security: {api_key: staff}"), **{"api.yaml": SECURED})
    with pytest.raises(PolicyFaults, match="no identity provider of this document"):
        serve(ASKING.format("Guardrail", "description: d", ", security: {api_key: nobody}"), **{"api.yaml": SECURED})
