"""What several rules that held change together.

Rules speak in order: policies by name, rules as written. Of two that set the same thing the later one wins; setting
after removing sets, removing after setting removes. Which rule wins depends on names alone, so it is worked out once
for each combination of rules; a request only fills in the texts that are left (`filling`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from authz.policy.compiled import CookieChange, HeaderChange
    from authz.policy.deciding.places import Place, RuleStep
    from authz.policy.template import Template


class Writing(msgspec.Struct, frozen=True, kw_only=True):
    """One text to write, and the rule it belongs to."""

    name: str
    value: Template
    place: Place
    rule: str
    append: bool = False
    attributes: str = ""


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """The changes of some rules, without contradictions."""

    request_headers: tuple[Writing, ...] = ()
    request_headers_remove: tuple[str, ...] = ()
    response_headers: tuple[Writing, ...] = ()
    cookies: tuple[Writing, ...] = ()
    cookies_remove: tuple[str, ...] = ()
    query_set: tuple[Writing, ...] = ()
    query_remove: tuple[str, ...] = ()
    metadata: tuple[Writing, ...] = ()

    def without(self, claimed: Iterable[str]) -> Merged:
        """Return these changes, and that the request loses what is claimed and not written: a caller's own copy."""
        left = set(claimed).difference((item.name for item in self.request_headers), self.request_headers_remove)
        if not left:
            return self
        return msgspec.structs.replace(self, request_headers_remove=(*self.request_headers_remove, *sorted(left)))


def merge(steps: Iterable[RuleStep]) -> Merged:
    """Return what rules change together."""
    request, response, query, cookies = _Target(), _Target(), _Target(), _Target()
    crumbs: dict[str, None] = {}
    metadata: dict[str, Writing] = {}
    for step in steps:
        changes = step.rule.changes
        request.take(_written(step, changes.request_headers), changes.request_headers_remove)
        response.take(_written(step, changes.response_headers), ())
        cookies.take(_baked(step, changes.cookies), ())
        crumbs.update(dict.fromkeys(changes.cookies_remove))
        query.take(_texts(step, changes.query_set), changes.query_remove)
        metadata.update((item.name, item) for item in _texts(step, changes.metadata))
    return Merged(
        request_headers=request.writings,
        request_headers_remove=tuple(request.removed),
        response_headers=response.writings,
        cookies=cookies.writings,
        cookies_remove=tuple(crumbs),
        query_set=query.writings,
        query_remove=tuple(query.removed),
        metadata=tuple(metadata.values()),
    )


class _Target:
    """One thing with names that are set, added to and removed."""

    def __init__(self) -> None:
        self.removed: dict[str, None] = {}
        self._written: dict[str, list[Writing]] = {}

    @property
    def writings(self) -> tuple[Writing, ...]:
        return tuple(item for items in self._written.values() for item in items)

    def take(self, writings: Iterable[Writing], removals: Iterable[str]) -> None:
        """Take what one rule says, which never contradicts itself."""
        for item in writings:
            if item.append and item.name not in self.removed:
                self._written.setdefault(item.name, []).append(item)
            else:  # nothing is left to add to
                self._written[item.name] = [msgspec.structs.replace(item, append=False)]
                self.removed.pop(item.name, None)
        for name in removals:
            self._written.pop(name, None)
            self.removed[name] = None


def _written(step: RuleStep, changes: Iterable[HeaderChange]) -> Iterator[Writing]:
    for change in changes:
        yield Writing(name=change.name, value=change.value, append=change.append, place=step.place, rule=step.rule.name)


def _texts(step: RuleStep, texts: Iterable[tuple[str, Template]]) -> Iterator[Writing]:
    for name, value in texts:
        yield Writing(name=name, value=value, place=step.place, rule=step.rule.name)


def _baked(step: RuleStep, changes: Iterable[CookieChange]) -> Iterator[Writing]:
    for change in changes:
        yield Writing(
            name=change.name, value=change.value, attributes=change.attributes, place=step.place, rule=step.rule.name
        )


UNCHANGED = Merged()
"""What rules without changes change."""
