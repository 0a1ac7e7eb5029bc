"""Tests of policies: requests and the decisions they must get (POLICY.md, section 7). Never served.

Three forms, of which a document holds any: `cases` (one request, perhaps repeated), cases with `steps` (a sequence in
which counts go on), and `matrix` (a table of callers and requests). What a name stands for is checked here, so that no
test passes because it asks something else than it says.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from pydantic import Discriminator, Field, Tag

from authz.errors import Fault
from authz.policy.codes import Code
from authz.policy.documents.document import Document
from authz.policy.documents.expectations import Expected, Word
from authz.policy.documents.fixtures import Caller, Requested
from authz.policy.documents.kinds import DataSpec
from authz.policy.documents.naming import misnamed
from authz.policy.documents.values import (
    AnyText,
    Checked,
    Choice,
    Duration,
    Identifier,
    Many,
    Maybe,
    Moment,
    Name,
    Part,
    Some,
    nearest,
    shared,
    whole,
)
from authz.policy.source import Mapping, Scalar, Sequence, Text
from authz.words import counted

MOST_REPEATED = 100_000
_ALONE = ("request", "expect", "repeat", "every", "after")


class RedisFault(StrEnum):
    """What is wrong with where limits are counted."""

    DOWN = "down"


class KeysFault(StrEnum):
    """What is wrong with the keys of token issuers: fetched when the case began and never again, or never."""

    STALE = "stale"
    DOWN = "down"


class BodyFault(StrEnum):
    """What becomes of bodies."""

    TRUNCATED = "truncated"


class Failing(Part):
    """What does not work while something is asked."""

    redis: Maybe[Choice[RedisFault]] = Field(
        default=None, description="`down`: nobody counts, and each limit's on_error says what then.", examples=["down"]
    )
    jwks: Maybe[Choice[KeysFault]] = Field(
        default=None,
        description="`down`: keys were never fetched; `stale`: not since the case began, good until max_stale.",
        examples=["down"],
    )
    body: Maybe[Choice[BodyFault]] = Field(
        default=None, description="`truncated`: Envoy shows the first half of a body.", examples=["truncated"]
    )


def _form(node: object) -> str:
    return "name" if isinstance(node, Scalar) else "inline"


Request = Annotated[Annotated[Name, Tag("name")] | Annotated[Requested, Tag("inline")], Discriminator(_form)]


class Step(Part):
    """One thing in a sequence: perhaps time that passes, then a request, perhaps repeated."""

    after: Maybe[Duration] = Field(default=None, description="Time that passes before.", examples=["1m"])
    request: Request = Field(description="The request: a name, or written out.", examples=["read"])
    caller: Maybe[Name] = Field(default=None, alias="as", description="Who asks; else the case's.", examples=["alice"])
    repeat: Annotated[int, whole(1, MOST_REPEATED)] = Field(
        default=1, description="How often; the last answer is looked at.", examples=[4]
    )
    every: Maybe[Duration] = Field(default=None, description="Time between repeats.", examples=["5s"])
    faults: Failing = Field(
        default_factory=shared(Failing()),
        description="What does not work; else the case's.",
        examples=[{"redis": "down"}],
    )
    expect: Expected = Field(description="The answer it must get.", examples=["allow", {"decision": "deny"}])


class Case(Checked):
    """One case: a request, or steps. Every case begins at `now`, with nothing counted."""

    name: AnyText = Field(description="What it shows.", examples=["alice reads her order"])
    caller: Maybe[Name] = Field(
        default=None, alias="as", description="Who asks: one of identities. Left out: nobody.", examples=["alice"]
    )
    now: Maybe[Moment] = Field(
        default=None, description="When it begins; else the document's.", examples=["2026-11-23T12:00:00Z"]
    )
    faults: Failing = Field(
        default_factory=shared(Failing()), description="What does not work.", examples=[{"redis": "down"}]
    )
    data: dict[Identifier, DataSpec] = Field(
        default_factory=dict,
        description="What Data documents say instead, by name; else the document's.",
        examples=[{"freeze": {"map": {"active": True}}}],
    )
    request: Maybe[Request] = Field(default=None, description="The request: a name, or written out.", examples=["read"])
    repeat: Annotated[int, whole(1, MOST_REPEATED)] = Field(
        default=1, description="How often; the last answer is looked at.", examples=[4]
    )
    every: Maybe[Duration] = Field(default=None, description="Time between repeats.", examples=["5s"])
    expect: Maybe[Expected] = Field(
        default=None, description="The answer it must get.", examples=["allow", {"decision": "deny"}]
    )
    steps: Some[Step] = Field(
        default=(),
        description="A sequence; counts go on from step to step.",
        examples=[[{"request": "read", "expect": "allow"}]],
    )

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield a fault unless there is one request and what is expected, or steps."""
        if "steps" in node:
            for key in node.written():
                if key in _ALONE:
                    yield key.fault(Code.TOGETHER, f'the case has steps, and "{key}" belongs to one of them')
            return
        for wanted in ("request", "expect"):
            if wanted not in node and not any(nearest(written, (wanted,)) for written in node):
                place = node["name"] if isinstance(node.get("name"), Text) else node
                yield place.fault(Code.MISSING_KEY, f'the case has no "{wanted}"')


class Matrix(Checked):
    """A table: who asks down the side, what they ask along the top, a word in every cell."""

    name: Maybe[AnyText] = Field(default=None, description="What it shows.", examples=["who may do what"])
    requests: Some[Name] = Field(description="The columns: names of requests.", examples=[["read", "place", "delete"]])
    expect: dict[Name, Some[Word]] = Field(
        description="The rows: a name of identities, or nobody, and a word per column.",
        examples=[{"alice": ["allow", "allow", "deny"], "nobody": [401, 401, 401]}],
    )
    faults: Failing = Field(
        default_factory=shared(Failing()), description="What does not work.", examples=[{"redis": "down"}]
    )
    data: dict[Identifier, DataSpec] = Field(
        default_factory=dict,
        description="What Data documents say instead, by name; else the document's.",
        examples=[{"freeze": {"map": {"active": True}}}],
    )

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield a fault for every row that does not fill its columns."""
        columns, rows = node.get("requests"), node.get("expect")
        if not isinstance(columns, Sequence) or not isinstance(rows, Mapping):
            return
        if not rows:
            yield rows.fault(Code.MISSING_KEY, "the table has no rows")
        for caller in rows.written():
            cells = rows[caller]
            if isinstance(cells, Sequence) and len(cells) != len(columns):
                yield caller.fault(
                    Code.RANGE,
                    f'the row of "{caller}" has {counted(len(cells), "cell")} for {counted(len(columns), "request")}',
                    hint="a table says something in every cell",
                )


class PolicyTestSpec(Checked):
    """What is asked, and what must come of it."""

    description: Maybe[AnyText] = Field(default=None, description="What the tests are for.", examples=["Orders."])
    now: Maybe[Moment] = Field(
        default=None,
        description="The time at which every case begins. Left out: 2026-01-01T00:00:00Z.",
        examples=["2026-11-23T12:00:00Z"],
    )
    identities: dict[Name, Caller] = Field(
        default_factory=dict,
        description="Who calls, by name; `nobody` is there already.",
        examples=[{"alice": {"provider": "staff", "subject": "alice"}}],
    )
    requests: dict[Name, Requested] = Field(
        default_factory=dict,
        description="What is asked, by name.",
        examples=[{"read": {"url": "https://api.example.com/v1/orders/7"}}],
    )
    data: dict[Identifier, DataSpec] = Field(
        default_factory=dict,
        description="What Data documents say instead, by name.",
        examples=[{"freeze": {"map": {"active": True}}}],
    )
    cases: Many[Case] = Field(
        default=(),
        description="Cases, each by itself.",
        examples=[[{"name": "anyone reads", "request": "read", "expect": "allow"}]],
    )
    matrix: Many[Matrix] = Field(
        default=(),
        description="Tables of callers and requests.",
        examples=[[{"requests": ["read"], "expect": {"alice": ["allow"]}}]],
    )

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield a fault for a name that nothing has, one that two cases have, and a document that tests nothing."""
        if not {"cases", "matrix"} & node.keys():
            yield node.fault(Code.MISSING_KEY, "nothing is tested", hint="say cases or matrix")
        yield from misnamed(node)


class PolicyTest(Document):
    """Requests and the decisions they must get."""

    spec: PolicyTestSpec = Field(
        description="The requests, and what must come of them.",
        examples=[{"cases": [{"name": "anyone", "request": {"url": "https://api.example.com/"}, "expect": "allow"}]}],
    )
