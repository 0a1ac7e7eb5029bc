"""What a validation objects to, where the tables do not reach."""

from __future__ import annotations

from typing import Any

import pytest

from authz.content import SchemaValidators
from authz.model import Reason
from authz.policy.compiled import Validation
from authz.policy.deciding.bodies import objection


def validation(**words: Any) -> Validation:
    """Return a validation of which only what matters is given."""
    return Validation(name="v", **words)


@pytest.mark.parametrize(
    ("length", "reason"),
    [
        ("5", None), ("11", Reason.BODY_TOO_LARGE), ("-1", Reason.BODY_TOO_LARGE), ("٣", Reason.BODY_TOO_LARGE),
        ("9" * 30, Reason.BODY_TOO_LARGE), ("5, 5", Reason.BODY_TOO_LARGE), ("", Reason.BODY_TOO_LARGE),
    ],
)  # fmt: skip
def test_a_declared_size_must_be_a_size(length: str, reason: Reason | None, make: Any) -> None:
    """B1: of a body that was cut off, only a well-formed content-length says how large it is."""
    facts = make.facts(
        make.request({"body": "abcde", "body_state": "truncated", "headers": {"content-length": length}})
    )
    found = objection(validation(max_bytes=10), facts, {})
    assert (None if found is None else found.reason) is reason


def test_a_declared_size_cannot_make_a_body_smaller(make: Any) -> None:
    """What was seen counts, whatever was declared."""
    facts = make.facts(make.request({"body": "abcdef", "headers": {"content-length": "2"}}))
    assert objection(validation(max_bytes=5), facts, {}) is not None
    assert objection(validation(max_bytes=6), facts, {}) is None


@pytest.mark.parametrize("state", ["truncated", "unavailable", "invalid"])
def test_an_incomplete_body_meets_no_schema(state: str, make: Any) -> None:
    """B1, B2: what was not seen whole is no valid body, even if what was seen would be one."""
    validator = SchemaValidators().compile({})
    facts = make.facts(
        make.request({"body": "{}", "body_state": state, "headers": {"content-type": "application/json"}})
    )
    found = objection(validation(validator=validator), facts, {})
    assert found is not None
    assert found.reason is Reason.INVALID_BODY
