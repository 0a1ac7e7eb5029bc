"""What an Envoy asks its rate limit service about, and the limits that the configuration of envoyproxy/ratelimit names.

That configuration is read as it is, so that an Envoy that asks that service can ask this one. A domain is a tree: an
entry of a descriptor goes one step down, by key and value, else by the first pattern with `*` that fits, else by the
key alone; the limit is the one where the last entry arrives. Counted is by all entries of the descriptor, in fixed
windows of the clock, a month being 30 days and a year 365, as there.

Not as there: what is over charges nothing, all limits of one question being charged together or not at all.
`quota_mode` is refused; what only names metrics is read and without effect.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated

import msgspec
import yaml

from authz.errors import Fault, SettingsFaults
from authz.model import Algorithm, Limit, Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class Unit(StrEnum):
    """The units of a rate."""

    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


SECONDS = {
    Unit.SECOND: 1,
    Unit.MINUTE: 60,
    Unit.HOUR: 3600,
    Unit.DAY: 86_400,
    Unit.WEEK: 7 * 86_400,
    Unit.MONTH: 30 * 86_400,
    Unit.YEAR: 365 * 86_400,
}


class Replaced(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The name of a limit that another one stands in for."""

    name: Annotated[str, msgspec.Meta(min_length=1)]


class RateLimit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rate as it is written: so many in `unit_multiplier` units, or no bound."""

    unit: str = ""
    requests_per_unit: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)] = 0
    unit_multiplier: Annotated[int, msgspec.Meta(ge=1, le=2**32 - 1)] = 1
    unlimited: bool = False
    name: str = ""
    replaces: tuple[Replaced, ...] = ()


class Descriptor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step of a tree as it is written."""

    key: Annotated[str, msgspec.Meta(min_length=1)]
    value: str = ""
    rate_limit: RateLimit | None = None
    descriptors: tuple[Descriptor, ...] = ()
    shadow_mode: bool = False
    share_threshold: bool = False
    detailed_metric: bool = False
    value_to_metric: bool = False


class Domain(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file as it is written."""

    domain: Annotated[str, msgspec.Meta(min_length=1)]
    descriptors: tuple[Descriptor, ...] = ()


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What a place in the tree says. `limit` is `None` where there is no bound, `unit` where no one unit says it."""

    limit: Limit | None
    unit: Unit | None
    name: str
    replaces: frozenset[str]


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """The rule for a descriptor, and what it is counted by."""

    rule: Rule
    key: tuple[str, ...]


def read_domain(content: str, file: str) -> Domain:
    """Read one file of envoyproxy/ratelimit; raises `SettingsFaults`, which name the file and the place in it."""
    try:
        written = yaml.load(content, Loader=yaml.BaseLoader)  # noqa: S506 - makes texts, lists and mappings only
        domain = msgspec.convert(written, Domain, strict=False)
    except yaml.MarkedYAMLError as error:
        raise SettingsFaults([_unreadable(file, error)]) from error
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise SettingsFaults([Fault(file=file, message=" ".join(str(error).split()))]) from error
    except RecursionError:
        raise SettingsFaults([Fault(file=file, message="is nested too deeply")]) from None
    faults = [Fault(file=file, message=message) for message in _mistakes(domain.descriptors, domain.domain)]
    if faults:
        raise SettingsFaults(faults)
    return domain


def _unreadable(file: str, error: yaml.MarkedYAMLError) -> Fault:
    mark, message = error.problem_mark, ", ".join(part for part in (error.context, error.problem) if part)
    if mark is None:
        return Fault(file=file, message=message)
    return Fault(file=file, line=mark.line + 1, column=mark.column + 1, message=message)


def _mistakes(descriptors: Iterable[Descriptor], path: str) -> Iterator[str]:
    seen = set()
    for each in descriptors:
        place = step(path, each)
        if (each.key, each.value) in seen:
            yield f"{place} is there twice"
        seen.add((each.key, each.value))
        if each.rate_limit is not None:
            yield from _rate_mistakes(each.rate_limit, place)
        yield from _mistakes(each.descriptors, place)


def _rate_mistakes(rate: RateLimit, place: str) -> Iterator[str]:
    known = rate.unit.lower() in SECONDS
    if rate.unlimited and rate.unit:
        yield f"{place}: what is unlimited has no unit"
    elif not rate.unlimited and not known:
        yield f'{place}: "{rate.unit}" is no unit (there are {", ".join(Unit)})'
    if rate.name and rate.name in {each.name for each in rate.replaces}:
        yield f"{place} replaces itself"


def step(path: str, descriptor: Descriptor) -> str:
    """Return what a place in the tree is called, below `path`: as in envoyproxy/ratelimit's own statistics."""
    return f"{path}.{descriptor.key}" + (f"_{descriptor.value}" if descriptor.value else "")


class _Place:
    """One place of the tree, ready to be walked."""

    def __init__(self, written: Iterable[Descriptor], path: str, rule: Rule | None, *, shared: bool = False) -> None:
        self.rule = rule
        self.shared = shared
        self._exact: dict[tuple[str, str], _Place] = {}
        self._any: dict[str, _Place] = {}
        self._patterns: list[tuple[str, re.Pattern[str], _Place]] = []
        self.path = path
        for each in written:
            self._add(each, step(path, each))

    def _add(self, written: Descriptor, path: str) -> None:
        wild = "*" in written.value
        below = _Place(written.descriptors, path, _rule(written, path), shared=wild and written.share_threshold)
        if wild:
            pattern = re.compile(".*".join(map(re.escape, written.value.split("*"))), re.DOTALL)
            self._patterns.append((written.key, pattern, below))
        elif written.value:
            self._exact[written.key, written.value] = below
        else:
            self._any[written.key] = below

    def below(self, key: str, value: str) -> _Place | None:
        """Return where an entry leads."""
        exact = self._exact.get((key, value))
        if exact is not None:
            return exact
        for name, pattern, place in self._patterns:
            if name == key and pattern.fullmatch(value):
                return place
        return self._any.get(key)


def _rule(written: Descriptor, path: str) -> Rule | None:
    rate = written.rate_limit
    if rate is None:
        return None
    replaces = frozenset(each.name for each in rate.replaces)
    if rate.unlimited:
        return Rule(limit=None, unit=None, name=rate.name, replaces=replaces)
    unit = Unit(rate.unit.lower())
    limit = _limit(path, rate.requests_per_unit, SECONDS[unit] * rate.unit_multiplier, shadow=written.shadow_mode)
    return Rule(limit=limit, unit=unit if rate.unit_multiplier == 1 else None, name=rate.name, replaces=replaces)


def _limit(path: str, requests: int, seconds: int, *, shadow: bool = False) -> Limit:
    return Limit(
        name=path.replace(".", "/", 1),
        requests=requests,
        period=float(seconds),
        algorithm=Algorithm.FIXED_WINDOW,
        mode=Mode.SHADOW if shadow else Mode.ENFORCE,
    )


class Domains:
    """The limits of all domains."""

    def __init__(self, domains: Iterable[Domain]) -> None:
        """Join domains; raises `SettingsFaults` for one that is there twice."""
        self._roots: dict[str, _Place] = {}
        for each in domains:
            if each.domain in self._roots:
                raise SettingsFaults([Fault(file=each.domain, message="the domain is there twice")])
            self._roots[each.domain] = _Place(each.descriptors, each.domain, None)

    def match(self, domain: str, entries: Sequence[tuple[str, str]]) -> Match | None:
        """Return the limit of a descriptor; `None` where nothing is said of it."""
        place = self._roots.get(domain)
        key = []
        for name, value in entries:
            place = place.below(name, value) if place is not None else None
            if place is None:
                return None
            key.append(f"*{place.path}" if place.shared else component(name, value))
        return Match(rule=place.rule, key=tuple(key)) if place is not None and place.rule is not None else None

    def override(self, domain: str, entries: Sequence[tuple[str, str]], requests: int, unit: Unit) -> Match | None:
        """Return the limit that the question itself names, in place of ours; `None` in no domain of ours."""
        if domain not in self._roots:
            return None
        return Match(rule=_override(domain, requests, unit), key=tuple(component(*entry) for entry in entries))


@lru_cache(maxsize=4096)
def _override(domain: str, requests: int, unit: Unit) -> Rule:
    limit = _limit(f"{domain}.override", requests, SECONDS[unit])
    return Rule(limit=limit, unit=unit, name="", replaces=frozenset())


def component(name: str, value: str) -> str:
    """Return one entry as a part of a key; no two entries are alike. The first names the caller, value and all."""
    return f"{len(name)}:{name}{value}"
