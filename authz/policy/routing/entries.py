"""What the index is made of: documents, and the routes by which requests reach them."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

D = TypeVar("D")

ANY_HOST = ""
"""The host pattern of a route that names none."""

ANY_METHOD = ""
"""The method of a route that names none."""


class PathTemplate(msgspec.Struct, frozen=True, kw_only=True):
    """A path template. `segments` are decoded, `None` takes any one; `open` lets none or more follow.

    `captures` are the named segments, as name and position.
    """

    segments: tuple[str | None, ...]
    open: bool = False
    captures: tuple[tuple[str, int], ...] = ()


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One way to reach a document. `host` is exact, `*.suffix` or `ANY_HOST`; no `methods` means every method."""

    host: str = ANY_HOST
    template: PathTemplate
    methods: tuple[str, ...] = ()


class Entry(msgspec.Struct, Generic[D], frozen=True, kw_only=True):
    """A document with its routes; documents are asked by `order`. The first route that matches gives the template."""

    order: tuple[int, str]
    document: D
    routes: tuple[Route, ...]


class Match(msgspec.Struct, Generic[D], frozen=True):
    """A document and the template by which a request reached it; `rank` is the entry's order and the route's place."""

    rank: tuple[tuple[int, str], int]
    document: D
    template: PathTemplate
