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
        ("query: twice.json", 'the key "a" is given twice'),
    ],
)
def test_what_no_request_could_meet_is_a_fault(serve: Callable[..., PolicySet], written: str, message: str) -> None:
    """L5: names that there cannot be, schemas that are none, and references out of the folder are found at load."""
    with pytest.raises(PolicyFaults) as caught:
        serve(DOCUMENT.format(written), **{"twice.json": '{"a":1,"a":2}'})

    (fault,) = caught.value.faults
    assert message in fault.message
    assert fault.line or fault.file == "twice.json"


def test_faults_of_several_schemas_are_told_together(serve: Callable[..., PolicySet]) -> None:
    """A document with three bad schemas shows three faults."""
    with pytest.raises(PolicyFaults) as caught:
        serve(DOCUMENT.format("schema: {type: a}, query: {type: a}, headers: {type: a}"))

    assert len(caught.value.faults) == 3
