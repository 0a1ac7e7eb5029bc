"""An explanation as a tree for people: what governs, what each rule said, where it went wrong, what was missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authz.policy.explained import Counts, Said
from authz.policy.wanting import brief, shown
from authz.words import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from authz.policy.explained import Explanation, Missing, ShownDocument, ShownLimit, ShownPart, ShownRule, ShownTerm

_MARKS = {Said.HOLDS: "✓", Said.FAILS: "✗", Said.ERROR: "!", Said.UNKNOWN: "?"}
_QUIET = frozenset({"", ".", "?.", "[]", "[?]"})
"""What only looks something up: its value is shown, its parts are not."""

_LEFT = {
    Counts.CHARGED: "left",
    Counts.PEEKED: "left now; nothing was charged",
    Counts.WHOLE: "left if nobody asked before",
}


def pretty(explanation: Explanation) -> str:
    """Return an explanation as lines."""
    return "\n".join(printable(line) for line in _lines(explanation))


def _lines(explanation: Explanation) -> Iterator[str]:
    yield _headline(explanation.decision)
    yield from _facts(explanation)
    for document in explanation.documents:
        yield ""
        yield from _document(document, _LEFT[explanation.counts])
    if explanation.near:
        yield ""
        yield "nearly governed by:"
        yield from (f"  {near.kind} {near.name} ({near.file}:{near.line}): {near.because}" for near in explanation.near)
    if explanation.ways:
        yield ""
        yield "to be allowed it would have needed:"
        for way in explanation.ways:
            name = "/".join(part for part in (way.document, way.rule) if part)
            yield f"  {name}:" if name else "  -"
            yield from _missing(way.missing, "    ")


def _headline(decision: Mapping[str, Any]) -> str:
    by = "/".join(part for part in (decision["policy"], decision["rule"]) if part)
    return f"{decision['effect']} {decision['status']}: {decision['reason']}{f' by {by}' if by else ''}"


def _facts(explanation: Explanation) -> Iterator[str]:
    request, identity = explanation.request, explanation.identity
    yield f"  request   {request['method']} {request['host']}{request['path']}, from {request['client']}"
    if identity["authenticated"]:
        granted = [f"{name} {', '.join(identity[name])}" for name in ("roles", "groups", "scopes") if identity[name]]
        yield f"  identity  {identity['provider']}: {'; '.join([identity['subject'], *granted])}"
    else:
        why = ": ".join(str(each) for each in (identity["error"], identity["detail"]) if each)
        yield f"  identity  nobody{f' ({why})' if why else ''}"
    yield from (f"  error in {error['rule']}: {error['error']}" for error in explanation.decision["errors"])


def _document(document: ShownDocument, left: str) -> Iterator[str]:
    mode = "" if document.mode == "enforce" else f", {document.mode}"
    place = f"{document.file}:{document.line}{mode}"
    yield f"{document.kind} {document.name} ({place}), by {document.route}: {document.outcome}"
    if document.providers:
        yield f"  identity  {', '.join(document.providers)}{'' if document.needs_identity else ' (not required)'}"
    for name, term in document.variables.items():
        yield f"  {name}"
        yield from _term(term, "    ")
    yield from (
        f"  {'✓' if said == 'met' else '·'} validation {name}: {said}" for name, said in document.validations.items()
    )
    for rule in document.rules:
        yield from _rule(rule)
    yield from (_limit(limit, left) for limit in document.limits)


def _rule(rule: ShownRule) -> Iterator[str]:
    mode = "" if rule.mode == "enforce" else f", {rule.mode}"
    settled = "  ← settled it" if rule.settled else ""
    error = f": {rule.error}" if rule.error else ""
    yield f"  {_MARKS[rule.said]} {rule.effect} {rule.name}{mode}: {rule.said}{error}{settled}"
    for name, term in (("when", rule.when), ("", rule.condition)):
        if term is not None:
            yield from [f"      {name}"] if name else []
            yield from _term(term, "      ")


def _term(term: ShownTerm, indent: str) -> Iterator[str]:
    if not term.certain:
        yield f"{indent}{_part(term.whole)}  (parts cannot be shown: the engines differ)"
        return
    yield from _parts(term.whole, indent)


def _parts(part: ShownPart, indent: str) -> Iterator[str]:
    yield f"{indent}{_part(part)}"
    if part.operator in _QUIET or not part.asked:
        return
    for each in part.parts:
        if not each.literal:
            yield from _parts(each, indent + "  ")


def _part(part: ShownPart) -> str:
    text = brief(" ".join(part.text.split()), 100)
    return f"{text} = {shown(part)}" if part.asked else f"{text}  (not asked)"


def _limit(limit: ShownLimit, left: str) -> str:
    if limit.error:
        return f"  ! limit {limit.name}: {limit.error}"
    if not limit.applies:
        return f"  · limit {limit.name}: does not apply"
    key = ", ".join(brief(str(each), 60) for each in limit.key) or "everybody"
    said = f": {limit.outcome}, {limit.remaining} {left}" if limit.outcome else ": not charged"
    return f"  · limit {limit.name} for {key}, cost {limit.cost}{said}"


def _missing(missing: Iterable[Missing], indent: str) -> Iterator[str]:
    for each in missing:
        found = f"   ({each.found})" if each.found else ""
        yield f"{indent}{' '.join(each.text.split())}{found}"
        for number, way in enumerate(each.either):
            if len(each.either) > 1:
                yield f"{indent}  {'either' if number == 0 else 'or'}"
            yield from _missing(way, indent + ("    " if len(each.either) > 1 else "  "))
