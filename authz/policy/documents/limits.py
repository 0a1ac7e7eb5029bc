"""The limits of a document: how often, per key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from authz.errors import Fault
from authz.model import Algorithm, Count, Mode, OnError
from authz.policy.codes import Code
from authz.policy.documents import grammar
from authz.policy.documents.values import Cel, Checked, Choice, Duration, Maybe, Name, OneOrMany, Part, whole
from authz.policy.source import Mapping, Scalar

MOST = 1_000_000_000
"""The most requests, burst or cost a limit can speak of: far below where a double stops counting in ones."""

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
        description="How often: N/second, N/minute, N/hour, N/day, or requests and a period.",
        examples=["3/minute", {"requests": 100, "per": "90s"}],
    )
    algorithm: Choice[Algorithm] = Field(
        default=Algorithm.SLIDING_WINDOW, description="How is counted.", examples=["fixed-window"]
    )
    burst: Maybe[Annotated[int, whole(1, MOST)]] = Field(
        default=None, description="How many at once a token bucket holds. Left out: as many as its rate.", examples=[10]
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
    on_error: Choice[OnError] = Field(
        default=OnError.LOCAL,
        description="What is answered while the store does not: count in this process, allow, or deny.",
        examples=["local"],
    )

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield a fault for a burst without a bucket, and for a cost that can be seen to be none."""
        cost = node.get("cost")
        if "burst" in node and node.get("algorithm") != Algorithm.TOKEN_BUCKET.value:
            hint = "write algorithm: token-bucket"
            yield node.key("burst").fault(Code.TOGETHER, "burst belongs to a token bucket", hint=hint)
        if isinstance(cost, Scalar) and _NUMBER.fullmatch(cost) and not _costs(cost):
            yield cost.fault(Code.RANGE, f"a request cannot cost {cost}", hint=f"a whole number from 1 to {MOST}")


def _costs(cost: str) -> bool:
    """Tell whether a literal is a cost that can be charged."""
    return cost.isdecimal() and len(cost) < 20 and 1 <= int(cost) <= MOST
