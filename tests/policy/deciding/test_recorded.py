"""A decision made again, of which not everything is known any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from authz.content import SchemaValidators
from authz.model import Knowing, Reason
from authz.policy import Compiler, UndeterminedError
from authz.policy.deciding.recorded import asked_of

if TYPE_CHECKING:
    from conftest import Make

    from authz.policy.deciding.recorded import Redecided

POLICY = """
apiVersion: authz/v1
kind: Policy
metadata: {name: one}
spec:
  match: [{paths: ["/**"]}]
  variables: {tenant: 'request.headers["x-tenant"]'}
  rules:
"""


class Remembered:
    """Knows nothing but what it is given."""

    def __init__(self, **values: Any) -> None:
        self.values = {name.replace("_", ".", 1): value for name, value in values.items()}

    def knowing(self, name: str, _key: str | None, /) -> Knowing | None:
        """Return what is known of an attribute."""
        return Knowing.VALUE if name in self.values or name == "request.method" else None


def again(make: Make, rules: str, remembered: Remembered, method: str = "GET") -> Redecided:
    """Return the decision made again."""
    policies = Compiler(validators=SchemaValidators()).compile({"a.yaml": (POLICY + rules).encode()})
    facts = make.facts(make.request({"method": method}))
    return policies.select(facts.request).redecide(facts, remembered)


TENANT = """
    - {name: closed, deny: 'request.method == "DELETE"'}
    - {name: own, allow: 'variables.tenant == "acme" && request.method == "GET"'}
"""


def test_an_attribute_that_does_not_matter_need_not_be_known(make: Make) -> None:
    """False on one side of `&&` is false, and a deny that holds denies, whatever else there is."""
    assert again(make, TENANT, Remembered(), "POST").decision.reason is Reason.NO_RULE
    assert again(make, TENANT, Remembered(), "DELETE").decision.reason is Reason.DENY_RULE


def test_what_matters_and_is_not_known_is_named(make: Make) -> None:
    """By the attribute that the variable reads, not by the variable."""
    with pytest.raises(UndeterminedError) as error:
        again(make, TENANT, Remembered())
    assert error.value.attributes == {("request.headers", "x-tenant")}
    known = Remembered(request_headers={"x-tenant": "acme"})
    assert again(make, TENANT, known).decision.reason is Reason.ALLOWED


def test_another_rule_may_settle_it(make: Make) -> None:
    """An allow beside one that is undetermined allows; the reason of a denial beside one is not certain."""
    beside = TENANT + "    - {name: all, allow: true}\n"
    assert again(make, beside, Remembered()).decision.rule == "all"
    denied = again(
        make, TENANT.replace('request.method == "DELETE"', 'request.headers["x"] == "y"'), Remembered(), "POST"
    )
    assert (denied.decision.reason, denied.exact) == (Reason.NO_RULE, False)


def test_a_text_that_may_fail_may_deny(make: Make) -> None:
    """What an allowed request is to carry must have a value, so not to know it is not to know the answer (C4)."""
    rule = '    - {name: all, allow: true, request_headers: {set: {x-a: "${variables.tenant}"}}}\n'
    with pytest.raises(UndeterminedError):
        again(make, rule, Remembered())


def test_what_only_limits_read_is_not_asked() -> None:
    """Limits are not charged for what has been, so their keys need not be on record."""
    limits = TENANT + "  limits: [{name: a, key: client.ip, rate: 1/minute}]\n"
    policies = Compiler(validators=SchemaValidators()).compile({"a.yaml": (POLICY + limits).encode()})
    plan = policies.governing("a", "/", "GET").plan
    assert asked_of(plan) == (("request.headers", "x-tenant"), ("request.method", None))
    assert ("client.ip", None) in plan.reads


def test_a_redirect_is_not_certain_behind_a_deny_that_is_not(make: Make) -> None:
    """A deny rule comes first: whoever it would have denied would not have been sent elsewhere."""
    rules = """
    - {name: evil, deny: 'request.headers["x"] == "y"'}
    - {name: away, redirect: "https://example.com/", when: 'request.method == "GET"'}
"""
    with pytest.raises(UndeterminedError) as error:
        again(make, rules, Remembered())
    assert error.value.attributes == {("request.headers", "x")}
    known = again(make, rules, Remembered(request_headers={"x": "z"}))
    assert (known.decision.reason, known.exact) == (Reason.REDIRECT_RULE, True)
