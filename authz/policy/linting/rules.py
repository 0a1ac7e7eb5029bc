"""Rules that cannot change an answer, and those that let everybody in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.cel.source import tokens_of
from authz.model import Effect, Mode
from authz.policy.documents import Policy
from authz.policy.linting.codes import Lint
from authz.policy.linting.looking import warned
from authz.policy.routing.entries import ANY_HOST
from authz.policy.routing.routes import EVERYTHING, routes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz.errors import Fault
    from authz.policy.documents import Guardrail, Rule
    from authz.policy.source import Scalar

Condition = tuple[str, ...]
"""A condition without blanks and comments: that of `when`, then the rule's own."""

_HINT = "remove it, or say where it differs"

ALWAYS: Condition = ()


def odd(document: Policy | Guardrail) -> Iterator[Fault]:
    """Yield the warnings about the rules of one document."""
    asked = [rule for rule in document.spec.rules if rule.mode is Mode.ENFORCE]
    for place, rule in enumerate(asked):
        if (why := _idle(rule, asked[:place], asked)) is not None:
            yield warned(rule.name, Lint.IDLE_RULE, f'rule "{rule.name}" changes nothing: {why}', _HINT)
    if isinstance(document, Policy) and document.spec.mode is not Mode.OFF:
        yield from _allows_all(document, asked)


def _idle(rule: Rule, earlier: list[Rule], all_: list[Rule]) -> str | None:
    """Return why a rule cannot change an answer."""
    condition = _condition(rule)
    if "false" in condition:
        return "its condition is false"
    if rule.effect is Effect.ALLOW:
        return _allows_in_vain(rule, condition, all_)
    for other in earlier:
        if other.effect is rule.effect and _condition(other) in (ALWAYS, condition):
            return f'"{other.name}" has said the same' if _condition(other) else f'"{other.name}" always holds'
    return None


def _allows_in_vain(rule: Rule, condition: Condition, all_: list[Rule]) -> str | None:
    for other in all_:
        same = _condition(other) in (ALWAYS, condition)
        if same and other.effect is Effect.DENY:
            return f'"{other.name}" denies what it allows'
        if same and other is not rule and other.effect is Effect.ALLOW and not _carries(rule):
            if _condition(other) == condition and all_.index(other) > all_.index(rule):
                continue
            return f'"{other.name}" allows the same'
    return None


def _carries(rule: Rule) -> bool:
    """Tell whether a rule that holds changes what is sent on: all allow rules that hold do."""
    given = rule.model_fields_set
    return bool(given & {"request_headers", "response_headers", "cookies", "query", "metadata"})


def _condition(rule: Rule) -> Condition:
    tests = (rule.when, rule.deny if rule.allow is None else rule.allow)
    found = (_plain(each) for each in tests if each is not None)
    return tuple(each for each in found if each != "true")


def _plain(written: Scalar) -> str:
    return " ".join(token.text for token in tokens_of(written))


def _allows_all(document: Policy, asked: list[Rule]) -> Iterator[Fault]:
    identity = document.spec.identity
    if identity.providers if identity.required is None else identity.required:
        return
    if not any(route.template == EVERYTHING and route.host == ANY_HOST for route in routes(document.spec.match)):
        return
    for rule in asked:
        if rule.effect is Effect.ALLOW and _condition(rule) == ALWAYS:
            hint = "name the paths that are public, or providers"
            yield warned(rule.name, Lint.ALLOWS_ALL, f'rule "{rule.name}" lets everybody in on every path', hint)
