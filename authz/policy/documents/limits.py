"""The limits of a document: how often, per key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from authz.errors import Fault
from authz.model import Algorithm, Align, Count, Mode, OnError, Scope
from authz.policy.codes import Code
from authz.policy.documents import grammar
from authz.policy.documents.values import Cel, Checked, Choice, Duration, Maybe, Name, OneOrMany, Part, TimeZone, whole
from authz.policy.source import Mapping, Node, Scalar, Text

MOST = 1_000_000_000
"""The most requests, burst or cost a limit can speak of: far below where a double stops counting in ones."""

_ALIGNED: dict[str, float] = {Align.HOUR: 3600.0, Align.DAY: 86400.0, Align.MONTH: grammar.MONTH}
_NUMBER = re.compile(r"[-+]?[0-9.]+")


class Rate(Part):
    """`requests` in any `per` seconds; 0 requests admit nothing."""

    requests: Annotated[int, whole(0, MOST)] = Field(description="How many requests.", examples=[100])
    per: Duration = Field(description="In how long a time: a number and a unit (ms, s, m, h, d).", examples=["90s"])


class _ShortRate:
    """The short form of a rate: `3/minute`."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "pattern": grammar.RATE}, handler(core)]}


def _rate(node: object) -> object:
    if not isinstance(node, Scalar):
        return node
    requests, per = grammar.rate(node, MOST)
    return Rate.model_construct(requests=requests, per=per)


class Limit(Checked):
    """One limit: a key per caller, a rate, and what is counted."""

    name: Name = Field(description="What records and headers call the limit.", examples=["per-subject"])
    when: Maybe[Cel] = Field(
        default=None,
        description="CEL: where it does not hold, nothing is charged.",
        examples=['request.method == "POST"'],
    )
    key: OneOrMany[Cel] = Field(
        default=(),
        description="CEL, one or several: requests with equal values share one count. Left out: all share one.",
        examples=[["identity.subject"]],
    )
    rate: Annotated[Rate, BeforeValidator(_rate), _ShortRate()] = Field(
        description="How often: N/second, N/minute, N/hour, N/day, N/month (with align), or requests and a period.",
        examples=["3/minute", {"requests": 100, "per": "90s"}],
    )
    algorithm: Choice[Algorithm] = Field(
        default=Algorithm.SLIDING_WINDOW, description="How is counted.", examples=["fixed-window"]
    )
    burst: Maybe[Annotated[int, whole(1, MOST)]] = Field(
        default=None, description="How many at once a token bucket holds. Left out: as many as its rate.", examples=[10]
    )
    align: Maybe[Choice[Align]] = Field(
        default=None,
        description="Take the windows of the calendar: its hours, days or months. The rate is per one of them.",
        examples=["month"],
    )
    time_zone: Maybe[TimeZone] = Field(
        default=None, description="Whose calendar: an IANA name. Left out: UTC.", examples=["Europe/Berlin"]
    )
    cost: Maybe[Cel] = Field(
        default=None, description="CEL, an integer: how many requests this one counts for. Left out: 1.", examples=[1]
    )
    count: Choice[Count] = Field(default=Count.ALLOWED, description="Which requests are counted.", examples=["allowed"])
    mode: Choice[Mode] = Field(
        default=Mode.ENFORCE,
        description="`shadow`: count and record, and change no answer; `off`: not even that.",
        examples=["enforce"],
    )
    scope: Choice[Scope] = Field(
        default=Scope.EXACT,
        description="Where it is spent: `exact`: in Redis; `leased`: in each process, from blocks taken there ahead.",
        examples=["leased"],
    )
    on_error: Choice[OnError] = Field(
        default=OnError.LOCAL,
        description="What is answered while the store does not: count in this process, allow, or deny.",
        examples=["local"],
    )

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield a fault for a burst without a bucket, a calendar that does not fit, a cost that is seen to be none."""
        cost = node.get("cost")
        if "burst" in node and node.get("algorithm") != Algorithm.TOKEN_BUCKET.value:
            hint = "write algorithm: token-bucket"
            yield node.key("burst").fault(Code.TOGETHER, "burst belongs to a token bucket", hint=hint)
        yield from _misaligned(node)
        if isinstance(cost, Scalar) and _NUMBER.fullmatch(cost) and not _costs(cost):
            yield cost.fault(Code.RANGE, f"a request cannot cost {cost}", hint=f"a whole number from 1 to {MOST}")


def _misaligned(node: Mapping) -> Iterator[Fault]:
    """Yield what a calendar does not go together with."""
    align, rate = node.get("align"), node.get("rate")
    if align is None:
        if "time_zone" in node:
            hint = "write align: day, or another piece of the calendar"
            yield node.key("time_zone").fault(Code.TOGETHER, "a time zone belongs to a calendar", hint=hint)
        if isinstance(rate, Scalar) and rate.endswith("/month"):
            hint = "write align: month, with algorithm: fixed-window"
            yield rate.fault(Code.TOGETHER, "months differ in length", hint=hint)
        return
    if node.get("algorithm") != Algorithm.FIXED_WINDOW.value:
        hint = "write algorithm: fixed-window"
        yield node.key("align").fault(Code.TOGETHER, "align belongs to a fixed window", hint=hint)
    wanted = _ALIGNED.get(align) if isinstance(align, Scalar) else None
    if wanted is not None and _period(rate) not in {None, wanted}:
        hint = f"write rate: N/{align}"
        yield node.key("rate").fault(Code.TOGETHER, f"aligned to the {align}, and not a rate per {align}", hint=hint)


def _period(rate: Node | None) -> float | None:
    """Return the seconds of a rate, `None` for one that is none; 31 days that are written as such are no month."""
    try:
        if isinstance(rate, Scalar):
            return grammar.rate(rate, MOST)[1]
        per = rate.get("per") if isinstance(rate, Mapping) else None
        return grammar.duration(per) % grammar.MONTH if isinstance(per, Text) else None
    except grammar.Unfit:
        return None


def _costs(cost: str) -> bool:
    """Tell whether a literal is a cost that can be charged."""
    return cost.isdecimal() and len(cost) < 20 and 1 <= int(cost) <= MOST
