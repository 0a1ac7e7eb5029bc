"""What was expected against what is so. Every difference is told, not the first.

What is not said may be anything. A list names what must be among those that are there; an empty one says there is none.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from authz.testing.results import Difference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from authz.policy.documents.expectations import Expectation
    from authz.testing.results import Answer

    Differs = Callable[[str, Expectation, Answer], Iterator[Difference]]

NOTHING = "nothing"


def compare(expected: Expectation, answer: Answer) -> tuple[Difference, ...]:
    """Return how an answer differs from what is expected of it."""
    return tuple(difference for key, differs in _ASPECTS.items() for difference in differs(key, expected, answer))


def shown(value: object) -> str:
    """Return a value as it would be written in a test."""
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return str(value) or '""'
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or NOTHING
    return json.dumps(value, ensure_ascii=False, default=str)


def _is(read: Callable[[Answer], object], field: str = "") -> Differs:
    """Return what tells whether something is just what was said."""

    def differs(key: str, expected: Expectation, answer: Answer) -> Iterator[Difference]:
        wanted = getattr(expected, field or key)
        if wanted is not None and wanted != read(answer):
            yield Difference(key=key, expected=shown(wanted), actual=shown(read(answer)))

    return differs


def _among(read: Callable[[Answer], Sequence[str]]) -> Differs:
    """Return what tells whether one name, or each of several, is among those that are there."""

    def differs(key: str, expected: Expectation, answer: Answer) -> Iterator[Difference]:
        wanted, there = getattr(expected, key), read(answer)
        if wanted is None:
            return
        names = (wanted,) if isinstance(wanted, str) else wanted
        if (there and not names) or not set(names) <= set(there):
            yield Difference(key=key, expected=shown(wanted), actual=shown(there))

    return differs


def _named(read: Callable[[Answer], Mapping[str, tuple[str, ...]]]) -> Differs:
    """Return what tells whether headers have the values that are said, an empty list meaning none."""

    def differs(key: str, expected: Expectation, answer: Answer) -> Iterator[Difference]:
        there = read(answer)
        for name, values in getattr(expected, key).items():
            if tuple(values) != there.get(name, ()):
                yield Difference(key=f"{key}.{name}", expected=shown(values), actual=shown(there.get(name)))

    return differs


def _members(read: Callable[[Answer], object], field: str = "") -> Differs:
    """Return what tells whether a map has the members that are said, at any depth."""

    def differs(key: str, expected: Expectation, answer: Answer) -> Iterator[Difference]:
        wanted = getattr(expected, field or key)
        if wanted is not None:
            yield from _inside(key, wanted, read(answer))

    return differs


def _inside(path: str, wanted: object, there: object) -> Iterator[Difference]:
    if isinstance(wanted, dict) and isinstance(there, dict):
        for name, value in wanted.items():
            yield from _inside(f"{path}.{name}", value, there.get(name))
    elif wanted != there or isinstance(wanted, bool) is not isinstance(there, bool):
        yield _unlike(path, wanted, there)


def _unlike(path: str, wanted: object, there: object) -> Difference:
    """Return how two values differ; a text is in quotes where it would look like what it is not."""
    expected, actual = shown(wanted), shown(there)
    if expected == actual:
        expected, actual = (json.dumps(each, ensure_ascii=False, default=str) for each in (wanted, there))
    return Difference(key=path, expected=expected, actual=actual)


def _json(answer: Answer) -> object:
    try:
        return json.loads(answer.body)
    except ValueError:
        return answer.body


def _retry_after(key: str, expected: Expectation, answer: Answer) -> Iterator[Difference]:
    wanted = expected.retry_after
    if wanted is not None and wanted != answer.retry_after:
        there = NOTHING if answer.retry_after is None else f"{answer.retry_after}s"
        yield Difference(key=key, expected=f"{wanted:g}s", actual=there)


_ASPECTS: Mapping[str, Differs] = {
    "decision": _is(lambda answer: answer.decision),
    "reason": _is(lambda answer: answer.reason),
    "status": _is(lambda answer: answer.status),
    "policy": _among(lambda answer: answer.policies),
    "rule": _among(lambda answer: answer.rules),
    "limit": _among(lambda answer: answer.limits),
    "retry_after": _retry_after,
    "message": _is(lambda answer: answer.message),
    "location": _is(lambda answer: answer.location),
    "body": _is(lambda answer: answer.body),
    "json": _members(_json, "json_body"),
    "request_headers": _named(lambda answer: answer.request_headers),
    "removed_headers": _among(lambda answer: answer.removed_headers),
    "response_headers": _named(lambda answer: answer.response_headers),
    "query": _members(lambda answer: dict(answer.query)),
    "removed_query": _among(lambda answer: answer.removed_query),
    "metadata": _members(lambda answer: dict(answer.metadata)),
    "would_deny": _among(lambda answer: answer.would_deny),
    "would_limit": _among(lambda answer: answer.would_limit),
    "errors": _among(lambda answer: tuple(error.rule for error in answer.errors)),
}
"""How each key of an expectation is looked at."""
