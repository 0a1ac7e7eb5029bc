"""The limits of a document: how often, per key."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from authz.model import Algorithm, Count, Mode, OnError
from authz.policy.documents import grammar
from authz.policy.documents.values import Cel, Duration, Maybe, Name, OneOrMany, Part, whole
from authz.policy.source import Scalar

MOST = 1_000_000_000
"""The most requests, burst or cost a limit can speak of: far below where a double stops counting in ones."""


class Rate(Part):
    """`requests` in any `per` seconds; written `3/minute` or `{requests: 3, per: 1m}`."""

    requests: Annotated[int, whole(0, MOST)]
    per: Duration


def _rate(value: object) -> object:
    if not isinstance(value, Scalar):
        return value
    requests, per = grammar.rate(value, MOST)
    return Rate.model_construct(requests=requests, per=per)


class Limit(Part):
    """One limit: a key per caller, a rate, and what is counted."""

    name: Name
    when: Maybe[Cel] = None
    key: OneOrMany[Cel] = ()
    rate: Annotated[Rate, BeforeValidator(_rate)]
    algorithm: Annotated[Algorithm, Field(strict=False)] = Algorithm.SLIDING_WINDOW
    burst: Maybe[Annotated[int, whole(1, MOST)]] = None
    cost: Maybe[Cel] = None
    count: Annotated[Count, Field(strict=False)] = Count.ALLOWED
    mode: Annotated[Mode, Field(strict=False)] = Mode.ENFORCE
    on_error: Annotated[OnError, Field(strict=False)] = OnError.LOCAL
