"""The rules of a plan, asked in one question.

A call of the engine costs more than most conditions do. So a plan that is used often gets one expression made of the
conditions of its rules, in the order in which they would be asked and no further than they would be asked: a deny rule
that holds ends it, an allow rule that holds spares the next ones of its policy. Its value is a number with a bit for
every rule that was asked and holds. Where it has no value, because some condition in it has none, the rules are
asked one by one, and the error is told by whoever has it.

Rules that an engine runs are not put together with rules that are walked in Python, for all of it would be walked. The
walked ones are asked by themselves, when their turn comes. Without them the question says the same of every other rule
that is reached; what it says of rules that are not is never looked at.

Variables are written out where they are read. What cannot be put together without a doubt (a rule that needs the
body, a comprehension around a variable, scopes that differ, too much text) is not; then rules are asked one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.cel import INT, CompileError
from authz.cel.source import tokens_of
from authz.cel.standard import MACROS
from authz.policy.deciding.plan import Ballot
from authz.policy.terms import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from authz.policy.deciding.places import PolicyStep, RuleStep
    from authz.policy.deciding.plan import Plan
    from authz.policy.terms import Term

AFTER = 500
"""How often a plan is used before its rules are put together: compiling costs as much as many decisions."""

MOST_RULES = 24
MOST_TEXT = 4000

_BINDERS = frozenset(macro.name.rpartition(".")[2] for macro in MACROS) - {"has"}
"""Macros that give names to values: a variable written out inside one could read such a name instead of its own."""


def ballot(plan: Plan) -> Ballot | None:
    """Return the one question for the rules of a plan, `None` where they have to be asked one by one."""
    steps = [*plan.denials, *plan.redirects, *(step for policy in plan.policies for step in policy.rules)]
    if len(plan.scopes) != 1 or not 1 < len(steps) <= MOST_RULES:
        return None
    variables = plan.scopes[0].variables
    run = [step for step in steps if not _is_walked(step, variables)] or steps
    texts = {step: _condition(step, variables) for step in run}
    whole = {step: text for step, text in texts.items() if text is not None}
    if len(run) < 2 or len(whole) < len(texts) or sum(map(len, whole.values())) > MOST_TEXT:
        return None
    source = _chain([*plan.denials, *plan.redirects], whole, _policies(plan.policies, whole))
    try:
        expression = plan.world.environment.compile(source, expect=INT)
    except CompileError:
        return None
    return Ballot(expression=expression, asked=sum(step.bit for step in whole))


def _is_walked(step: RuleStep, variables: Mapping[str, Term]) -> bool:
    """Return whether a part of what makes a rule hold is walked in Python."""
    terms = [term for term in (step.rule.when, step.rule.test) if term is not None]
    read = [variables[name] for term in terms for name in term.late if name in variables]
    return any(term.expression.walked for term in (*terms, *read))


def _policies(policies: Sequence[PolicyStep], texts: Mapping[RuleStep, str]) -> str:
    """Return the sum of what the policies' allow rules say."""
    return " + ".join(
        # Where a rule is asked regardless, its policy is asked rule by rule and not up to the first that holds.
        _all(policy.rules, texts) if any(step.regardless for step in policy.rules) else _chain(policy.rules, texts, "0")
        for policy in policies
    ) or "0"  # fmt: skip


def _chain(steps: Iterable[RuleStep], texts: Mapping[RuleStep, str], rest: str) -> str:
    """Return the first of some rules that holds, else the rest."""
    source = rest
    for step in reversed([step for step in steps if step in texts]):
        source = f"(({texts[step]}) ? {step.bit} : {source})"
    return source


def _all(steps: Iterable[RuleStep], texts: Mapping[RuleStep, str]) -> str:
    return " + ".join(f"(({texts[step]}) ? {step.bit} : 0)" for step in steps if step in texts) or "0"


def _condition(step: RuleStep, variables: Mapping[str, Term]) -> str | None:
    """Return the text of what makes a rule hold."""
    rule = step.rule
    when = "true" if rule.when is None else _written_out(rule.when, variables)
    test = "true" if rule.test is None else _written_out(rule.test, variables)
    if when is None or test is None:
        return None
    return test if rule.when is None else f"({when}) ? ({test}) : false"


def _written_out(term: Term, variables: Mapping[str, Term]) -> str | None:
    """Return an expression with its variables written out, `None` where that might change what it says."""
    source = term.expression.source
    if term.watched:
        return None
    if not term.late:
        return f"{source}\n"  # a comment may end it
    if not all(name in variables for name in term.late):
        return None
    tokens = list(tokens_of(source))
    if any(token.text in _BINDERS for token in tokens):
        return None
    text, end = "", 0
    for index, token in enumerate(tokens[:-2]):
        name = VARIABLES + tokens[index + 2].text
        if token.text + tokens[index + 1].text == VARIABLES and name in variables:
            inner = _written_out(variables[name], variables)
            if inner is None:
                return None
            text += f"{source[end : token.start]}({inner})"
            end = tokens[index + 2].start + len(tokens[index + 2].text)
    return f"{text}{source[end:]}\n" if len(text) <= MOST_TEXT else None
