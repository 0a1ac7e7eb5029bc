"""What an answer says of limits: header fields to the caller, names to Envoy's access log. Pure.

The caller of an allow is shown the limit it will meet first; the caller of a 429 those it has met. A limit in shadow
and one that nobody counted for (`degraded`) are shown to no caller: there is nothing true to say of them.

`draft-11` is draft-ietf-httpapi-ratelimit-headers-11: `RateLimit-Policy` and `RateLimit`, Lists of Strings with
parameters (RFC 9651). Its `t` is the time until more of the quota is there: for a limit that is over the time until
this request fits, so `Retry-After` is never earlier, else until the limit is whole, one period at most. `legacy` is
the `X-RateLimit-*` triple of one limit, `Reset` in seconds from now, as Envoy's own filter writes it.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from authz.model import Algorithm, Align, HeaderMutation, LimitOutcome, Mode, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from authz.model import Limit, LimitUsage

MAX_WAIT = 366 * 86400
_LARGEST = 10**15 - 1
"""The largest Integer of a structured field (RFC 9651, section 3.3.1)."""

MOST_KEPT = 1024
"""Limits whose texts are kept."""

_OK: Final = LimitOutcome.OK  # names that are final, since a member is looked up in its enum each time
_OVER: Final = LimitOutcome.OVER
_ENFORCE: Final = Mode.ENFORCE
_ALLOWED: Final = Reason.ALLOWED
_RATE_LIMITED: Final = Reason.RATE_LIMITED
_GRAVEST = (LimitOutcome.OVER, LimitOutcome.DEGRADED_DENY, LimitOutcome.DEGRADED_ALLOW, LimitOutcome.OK)


class LimitHeaders(StrEnum):
    """A way to tell a caller about limits; the draft is named by its number, for the next one may differ."""

    DRAFT_11 = "draft-11"
    LEGACY = "legacy"


class LimitNames(NamedTuple):
    """What the metadata says: the limit that matters most and its outcome, and which in shadow would have limited."""

    limit: str | None = None
    limit_outcome: str | None = None
    would_limit: tuple[str, ...] | None = None


NO_NAMES = LimitNames()


def names(usages: Sequence[LimitUsage]) -> LimitNames:
    """Return what to call the limits in the metadata; as few different values as there are limits and outcomes."""
    if len(usages) == 1 and usages[0].outcome is _OK:
        return _texts_of(usages[0].charge.limit).ok
    would = tuple(usage.charge.limit.name for usage in usages if usage.outcome is LimitOutcome.WOULD_LIMIT) or None
    for outcome in _GRAVEST:
        alike = [usage for usage in usages if usage.outcome is outcome]
        if alike:
            in_force = [usage for usage in alike if usage.charge.limit.mode is _ENFORCE] or alike
            foremost = longest(alike) if outcome is _OVER else tightest(in_force)
            return LimitNames(foremost.charge.limit.name, outcome.value, would)
    return LimitNames(would_limit=would)


def longest(over: Iterable[LimitUsage]) -> LimitUsage:
    """Return the exhausted limit that takes longest to come back."""
    return max(over, key=lambda usage: usage.retry_after or 0.0)


def tightest(usages: Iterable[LimitUsage]) -> LimitUsage:
    """Return the limit that a caller that goes on like this meets first."""
    return min(usages, key=lambda usage: (usage.remaining // max(1, usage.charge.cost), -usage.reset))


def headers(usages: Sequence[LimitUsage], reason: Reason, styles: Sequence[LimitHeaders]) -> tuple[HeaderMutation, ...]:
    """Return the fields of an answer; on an allow, those of the draft stand beside the upstream's own."""
    shown = _shown(usages, reason) if styles else []
    if not shown:
        return ()
    fields: list[HeaderMutation] = []
    if LimitHeaders.DRAFT_11 in styles:
        fields += _draft(shown, append=reason is _ALLOWED)
    if LimitHeaders.LEGACY in styles:
        fields += _legacy(longest(shown))
    return tuple(fields)


def _shown(usages: Sequence[LimitUsage], reason: Reason) -> list[LimitUsage]:
    if reason is _RATE_LIMITED:
        return [usage for usage in usages if usage.outcome is _OVER]
    if reason is not _ALLOWED:
        return []
    counted = [usage for usage in usages if usage.outcome is _OK and usage.charge.limit.mode is _ENFORCE]
    return [tightest(counted)] if len(counted) > 1 else counted


def _draft(shown: Sequence[LimitUsage], *, append: bool) -> tuple[HeaderMutation, HeaderMutation]:
    kept = _texts_of(shown[0].charge.limit).policies[append]
    if len(shown) == 1:
        return kept, HeaderMutation(name="ratelimit", value=_state(shown[0]), append=append)
    policies = [_texts_of(usage.charge.limit).policies[append].value for usage in shown]
    return (
        HeaderMutation(name=kept.name, value=", ".join(policies), append=append),
        HeaderMutation(name="ratelimit", value=", ".join(map(_state, shown)), append=append),
    )


class _Texts:
    """What is said of a limit again and again; `policies` are its header, one that replaces and one that appends."""

    __slots__ = ("limit", "name", "ok", "policies")

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.name = _string(limit.name)
        value = f"{self.name}{_policy(limit)}"
        self.policies = (
            HeaderMutation(name="ratelimit-policy", value=value),
            HeaderMutation(name="ratelimit-policy", value=value, append=True),
        )
        self.ok = LimitNames(limit.name, LimitOutcome.OK.value)


_texts: dict[int, _Texts] = {}


def _texts_of(limit: Limit) -> _Texts:
    """Return what was made for this very limit: to compare all that a limit is made of would cost as much."""
    known = _texts.get(id(limit))
    if known is None or known.limit is not limit:
        if len(_texts) >= MOST_KEPT:
            _texts.clear()
        known = _texts[id(limit)] = _Texts(limit)
    return known


def _policy(limit: Limit) -> str:
    """Return the parameters of a policy; no `w` where the period is no whole number of seconds, or a month."""
    whole = limit.period >= 1 and limit.period == int(limit.period) and limit.align is not Align.MONTH
    window = f";w={_integer(limit.period)}" if whole else ""
    bursts = limit.algorithm is Algorithm.TOKEN_BUCKET and limit.burst is not None
    burst = f";authz-burst={_integer(limit.burst or 0)}" if bursts else ""
    return f";q={_integer(limit.requests)}{window}{burst}"


def _state(usage: LimitUsage) -> str:
    """Return a Service Limit Item; `t` is left out where no time brings more."""
    wait = _wait(usage)
    effective = "" if wait is None else f";t={wait}"
    return f"{_texts_of(usage.charge.limit).name};r={_integer(usage.remaining)}{effective}"


def _legacy(usage: LimitUsage) -> Iterable[HeaderMutation]:
    numbers = {"limit": usage.charge.limit.requests, "remaining": usage.remaining, "reset": _wait(usage)}
    for name, number in numbers.items():
        if number is not None:
            yield HeaderMutation(name=f"x-ratelimit-{name}", value=str(_integer(number)))


def _wait(usage: LimitUsage) -> int | None:
    if usage.outcome is not _OVER:
        limit = usage.charge.limit  # a day of the calendar can have 25 hours
        return whole_seconds(usage.reset if limit.align else min(usage.reset, limit.period))
    return None if usage.retry_after is None else whole_seconds(usage.retry_after)


def whole_seconds(wait: float) -> int:
    """Return a time to wait in whole seconds, rounded up: a year at most, and 0 for what is not above 0."""
    return math.ceil(min(wait, MAX_WAIT)) if wait > 0 else 0


def _integer(number: float) -> int:
    return max(0, min(int(number), _LARGEST))


def _string(text: str) -> str:
    """Return an sf-string (RFC 9651, section 4.1.6)."""
    printable = "".join(char if " " <= char <= "~" else "?" for char in text)
    return '"' + printable.replace("\\", "\\\\").replace('"', '\\"') + '"'
