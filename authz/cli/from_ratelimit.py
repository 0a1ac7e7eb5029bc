"""From a domain of envoyproxy/ratelimit to a guardrail with the same limits; pure.

There Envoy says what a request's entries are, here a limit says it itself, in CEL. Keys that can only mean one thing
become that (`KNOWN`); those that a route sets become its `context_extensions`; any other is taken for the header it is
usually copied from. What was assumed, and what can't be the same, is said in `notes`, for a person to go through.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import yaml

from authz.cli.naming import named, unique
from authz.limits.descriptors import SECONDS, Unit, step
from authz.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from authz.limits.descriptors import Descriptor, Domain, RateLimit

KNOWN = {
    "remote_address": "client.ip",
    "masked_remote_address": "client.ip",
    "method": "request.method",
    ":method": "request.method",
    "path": "request.path",
    ":path": "request.path",
    "host": "request.host",
    ":authority": "request.host",
}
ON_ROUTES = frozenset({"generic_key", "header_match", "query_match", "source_cluster", "destination_cluster"})
MOST = 1_000_000_000
"""The most requests a limit of ours can speak of."""

_SHORT = frozenset({Unit.SECOND, Unit.MINUTE, Unit.HOUR, Unit.DAY})
_UNITS = (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))


class Converted(NamedTuple):
    """A document, and what to look at before it is put into force."""

    document: dict[str, object]
    notes: tuple[str, ...]


class _Entry(NamedTuple):
    """One step on the way to a limit, among its siblings."""

    written: Descriptor
    siblings: Sequence[Descriptor]


def text(converted: Converted) -> str:
    """Return the YAML file, the notes as comments at its head."""
    notes = "".join(f"# - {note}\n" for note in converted.notes)
    head = f"# Converted from envoyproxy/ratelimit. Before it is put into force:\n{notes}"
    return head + yaml.safe_dump(converted.document, sort_keys=False, width=1000, allow_unicode=True)


def convert(domain: Domain) -> Converted:
    """Return the guardrail that limits what a domain limits."""
    notes = dict.fromkeys(
        (
            f"say in match which requests the domain {json.dumps(domain.domain)} was asked about; as it is, all are",
            "all limits of a request are charged together or not at all: what one refuses costs the others nothing",
        )
    )
    limits: list[dict[str, object]] = []
    for path, entries in _limited(domain):
        limits.append(_limit(unique(named(path, "limit"), [str(each["name"]) for each in limits]), entries))
        notes |= dict.fromkeys(_notes(path, entries))
    document: dict[str, object] = {
        "apiVersion": "authz/v1",
        "kind": "Guardrail",
        "metadata": {"name": named(domain.domain, "limit")},
        "spec": {"limits": limits},
    }
    return Converted(document, tuple(notes))


def _limited(domain: Domain) -> Iterator[tuple[str, tuple[_Entry, ...]]]:
    """Yield the places that have a limit and the way to each, named from below the domain."""

    def walk(
        siblings: Sequence[Descriptor], path: str, way: tuple[_Entry, ...]
    ) -> Iterator[tuple[str, tuple[_Entry, ...]]]:
        for each in siblings:
            here, place = (*way, _Entry(each, siblings)), step(path, each)
            if each.rate_limit is not None and not each.rate_limit.unlimited:
                yield place.removeprefix("."), here
            yield from walk(each.descriptors, place, here)

    return walk(domain.descriptors, "", ())


def _limit(name: str, entries: Sequence[_Entry]) -> dict[str, object]:
    last = entries[-1].written
    assert last.rate_limit is not None  # noqa: S101 - these are the limited ones; says so to the type checker
    limit: dict[str, object] = {"name": name, "when": " && ".join(filter(None, map(_condition, entries)))}
    key = [_value(each.written.key) for each in entries if _counts_each(each.written)]
    if not limit["when"]:
        del limit["when"]
    if key:
        limit["key"] = key
    limit |= {"rate": _rate(last.rate_limit), "algorithm": "fixed-window"}
    return limit | ({"mode": "shadow"} if last.shadow_mode else {})


def _counts_each(written: Descriptor) -> bool:
    """Return whether each value of an entry has a count of its own."""
    return not written.value or ("*" in written.value and not written.share_threshold)


def _rate(rate: RateLimit) -> str | dict[str, object]:
    requests, unit = min(rate.requests_per_unit, MOST), Unit(rate.unit.lower())
    if unit in _SHORT and rate.unit_multiplier == 1:
        return f"{requests}/{unit}"
    seconds = SECONDS[unit] * rate.unit_multiplier
    suffix, size = next((suffix, size) for suffix, size in _UNITS if seconds % size == 0)
    return {"requests": requests, "per": f"{seconds // size}{suffix}"}


def _condition(entry: _Entry) -> str:
    """Return when an entry leads here: it is there, it fits, and no sibling that goes before takes it."""
    written = entry.written
    others = [each for each in entry.siblings if each.key == written.key and each.value and each is not written]
    exact = [each.value for each in others if "*" not in each.value]
    if written.value and "*" not in written.value:
        return _fits(written)
    before = others if not written.value else others[: _place(entry.siblings, written, others)]
    patterns = [f"!{_fits(each)}" for each in before if "*" in each.value]
    taken = [f"!({_value(written.key)} in {json.dumps(exact, ensure_ascii=False)})"] if exact else []
    fits = [_fits(written)] if written.value else [_present(written.key)]
    return " && ".join(filter(None, [*fits, *taken, *patterns]))


def _place(siblings: Sequence[Descriptor], written: Descriptor, others: Sequence[Descriptor]) -> int:
    """Return how many of `others` come before an entry."""
    earlier = siblings[: next(index for index, each in enumerate(siblings) if each is written)]
    return sum(any(each is other for other in others) for each in earlier)


def _fits(written: Descriptor) -> str:
    """Return the condition that an entry's value is the one written, or is of its pattern."""
    value = _value(written.key)
    if "*" not in written.value:
        return f"{value} == {json.dumps(written.value, ensure_ascii=False)}"
    if written.value.find("*") == len(written.value) - 1:
        return f"{value}.startsWith({json.dumps(written.value[:-1], ensure_ascii=False)})"
    pattern = "(?s)^" + ".*".join(map(re.escape, written.value.split("*"))) + "$"
    return f"{value}.matches({json.dumps(pattern, ensure_ascii=False)})"


def _value(key: str) -> str:
    """Return the expression for an entry's value; what is not there is empty, and equal to nothing written."""
    if key in KNOWN:
        return KNOWN[key]
    return f'{_place_of(key)}[?{json.dumps(_header(key))}].orValue("")'


def _present(key: str) -> str:
    return "" if key in KNOWN else f"{json.dumps(_header(key))} in {_place_of(key)}"


def _place_of(key: str) -> str:
    return "route.extensions" if key in ON_ROUTES else "request.headers"


def _header(key: str) -> str:
    return key if key in ON_ROUTES else key.lower()


def _notes(path: str, entries: Sequence[_Entry]) -> Iterator[str]:
    for each in entries:
        key = each.written.key
        if key in ON_ROUTES:
            yield f"{json.dumps(key)} is read from context_extensions: set it on the routes that had the action"
        elif key == "masked_remote_address":
            yield '"masked_remote_address" has become the whole address'
        elif key not in KNOWN:
            yield f"{json.dumps(key)} is taken for the header of that name"
    last = entries[-1].written
    rate = last.rate_limit
    assert rate is not None  # noqa: S101 - as above
    if last.descriptors:
        yield f"{path} is charged too where a limit below it is: there, only where the question ended with it"
    if rate.replaces:
        names = ", ".join(each.name for each in rate.replaces)
        yield f"{path} replaces {names}: say so in the when of what it replaces"
    if rate.requests_per_unit > MOST:
        yield f"{path} allows {rate.requests_per_unit} requests, more than can be counted: {MOST} here"


def summary(converted: Converted) -> str:
    """Return what was made, for standard error."""
    spec = msgspec.convert(converted.document["spec"], dict[str, list[object]])
    return f"{counted(len(spec['limits']), 'limit')}; the notes at the head say what to look at"
