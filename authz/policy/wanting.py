"""What stood in the way of a rule: the parts of its condition that did not hold and would have had to.

Of `a && b` whatever did not hold, of `a || b` one of the two, of `c ? a : b` the branch that was taken; a variable is
looked into. Anything else is itself what is missing, with the values it was about.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from authz.policy.explained import Missing
from authz.policy.terms import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from authz.policy.explained import ShownPart, ShownTerm

NOT_ASKED = "not looked at, because the rest had settled it"


def missing(term: ShownTerm | None, variables: Mapping[str, ShownTerm]) -> tuple[Missing, ...]:
    """Return what a condition lacked; nothing for one that holds, or that was left out."""
    return () if term is None else tuple(_missing(term.whole, variables, wanted=True))


def standing(term: ShownTerm | None, variables: Mapping[str, ShownTerm]) -> tuple[Missing, ...]:
    """Return what made a condition hold, where it should not have."""
    return () if term is None else tuple(_missing(term.whole, variables, wanted=False))


def _missing(part: ShownPart, variables: Mapping[str, ShownTerm], *, wanted: bool) -> Iterator[Missing]:
    if part.values == (wanted,) and not part.error:
        return
    operator = part.operator
    if operator == "!" and part.asked:
        yield from _missing(part.parts[0], variables, wanted=not wanted)
    elif operator == ("&&" if wanted else "||"):
        for each in part.parts:
            yield from _missing(each, variables, wanted=wanted)
    elif operator == ("||" if wanted else "&&"):
        ways = tuple(tuple(_missing(each, variables, wanted=wanted)) for each in _sides(part, operator))
        yield Missing(text=part.text, either=ways)
    elif operator == "?:" and (taken := [each for each in part.parts[1:] if each.asked]):
        yield from _missing(taken[0], variables, wanted=wanted)
    elif part.text in variables and part.text.startswith(VARIABLES):
        below = tuple(_missing(variables[part.text].whole, variables, wanted=wanted))
        yield Missing(text=_wanted(part.text, wanted=wanted), either=(below,) if below else ())
    else:
        yield Missing(text=_wanted(part.text, wanted=wanted), found=_found(part))


def _sides(part: ShownPart, operator: str) -> Iterator[ShownPart]:
    """Yield the sides of a chain of one operator, however it is nested."""
    for each in part.parts:
        if each.operator == operator:
            yield from _sides(each, operator)
        else:
            yield each


def _wanted(text: str, *, wanted: bool) -> str:
    return text if wanted else f"!({text})"


def _found(part: ShownPart) -> str:
    """Return the values that a part was about, or why there were none."""
    if not part.asked:
        return NOT_ASKED
    named = {each.text: shown(each) for each in _operands(part)}
    told = ", ".join(f"{text} is {value}" for text, value in named.items())
    return "; ".join(each for each in (part.error, told) if each)


def _operands(part: ShownPart) -> Iterator[ShownPart]:
    """Yield the outermost parts that say something: not literals, and not what only carries on."""
    for each in part.parts:
        if each.literal or not each.asked:
            continue
        yield each


def shown(part: ShownPart) -> str:
    """Return the value of a part in a few characters."""
    if part.error:
        return f"an error ({part.error})"
    if not part.asked:
        return "not asked"
    texts = [json.dumps(value, ensure_ascii=False, default=str) for value in part.values]
    return brief(", ".join(texts))


def brief(text: str, longest: int = 120) -> str:
    """Return a text, shortened in the middle."""
    half = longest // 2
    return text if len(text) <= longest else f"{text[:half]} … {text[-half:]}"
