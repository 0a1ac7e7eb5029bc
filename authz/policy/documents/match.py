"""Which requests a document governs, and how ambiguous paths are to be read."""

from __future__ import annotations

from enum import StrEnum

from authz.policy.documents.values import HostPattern, Maybe, Method, Part, PathTemplate, Some


class EncodedSlashes(StrEnum):
    """What a document says to `%2F` in a path."""

    ALLOW = "allow"
    REFUSE = "refuse"


class PathParameters(StrEnum):
    """What a document says to `;parameters` in a path."""

    STRIP = "strip"
    REFUSE = "refuse"


class Match(Part):
    """One entry of `match`: every key that is given must hold."""

    hosts: Maybe[Some[HostPattern]] = None
    paths: Maybe[Some[PathTemplate]] = None
    methods: Maybe[Some[Method]] = None
