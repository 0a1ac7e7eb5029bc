"""Which requests a document governs, and how ambiguous paths are to be read."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from pydantic import ConfigDict, Field

from authz.errors import Fault
from authz.policy.codes import Code
from authz.policy.documents.values import Checked, HostPattern, Maybe, Method, PathTemplate, Some
from authz.policy.source import Mapping


class EncodedSlashes(StrEnum):
    """What a document says to `%2F` and `%5C` in a path: data, or a request that can be read in two ways."""

    ALLOW = "allow"
    REFUSE = "refuse"


class PathParameters(StrEnum):
    """What a document says to `;parameters` in a path: cut off, or a request that can be read in two ways."""

    STRIP = "strip"
    REFUSE = "refuse"


class Match(Checked):
    """One entry of `match`: every key that is given must hold."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    hosts: Maybe[Some[HostPattern]] = Field(
        default=None,
        description="Hosts: exact, or `*.` for one or more labels. Left out: every host.",
        examples=[["api.example.com", "*.orders.example.com"]],
    )
    paths: Maybe[Some[PathTemplate]] = Field(
        default=None,
        description="Paths by segment: `{name}` and `*` take one, `**` at the end the rest. Left out: every path.",
        examples=[["/v1/orders", "/v1/orders/{id}/**"]],
    )
    methods: Maybe[Some[Method]] = Field(
        default=None, description="Methods, case-sensitive. Left out: every method.", examples=[["GET", "POST"]]
    )

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield a fault for an entry without keys: it would match everything without saying so."""
        if not node:
            hint = 'write paths: ["/**"] to match every request'
            yield node.fault(Code.MISSING_KEY, "the entry says nothing", hint=hint)
