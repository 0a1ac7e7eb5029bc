"""From the path of a request to the operation that is meant.

Segment by segment: one that is written out goes before one with text around a parameter, and that before a parameter
alone, as routers do; where the first way leads nowhere, the next is tried. A trailing slash is ignored, as in `match`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

_PARAMETER = re.compile(r"\{([^{}/]+)\}")


class Taken(Exception):
    """A path that is another one already, but for the names of its parameters."""


class TemplateError(ValueError):
    """A path that no request has, or that could be read in two ways."""


class Segment:
    """One segment of a path: a text, or a parameter with what stands around it."""

    __slots__ = ("after", "before", "name")

    def __init__(self, written: str) -> None:
        found = _PARAMETER.findall(written)
        if len(found) > 1:
            raise TemplateError(f'"{written}" has two parameters, and which one ends where cannot be told')
        self.name = found[0] if found else ""
        self.before, _, self.after = written.partition(f"{{{self.name}}}") if found else (written, "", "")
        if any(brace in self.before + self.after for brace in "{}"):
            raise TemplateError(f'"{written}" has a brace too many')

    @property
    def key(self) -> tuple[bool, str, str]:
        """Return what tells this segment from others at the same place."""
        return bool(self.name), self.before, self.after

    def takes(self, segment: str) -> str | None:
        """Return what the parameter is in a segment of a request, `None` where it does not fit."""
        if len(segment) <= len(self.before) + len(self.after):
            return None
        fits = segment.startswith(self.before) and segment.endswith(self.after)
        return segment[len(self.before) : len(segment) - len(self.after)] if fits else None


class Routes(Generic[T]):
    """Path templates, and what stands behind each of them."""

    def __init__(self) -> None:
        self._written: dict[str, Routes[T]] = {}
        self._open: dict[tuple[bool, str, str], tuple[Segment, Routes[T]]] = {}
        self._item: tuple[T, tuple[str, ...]] | None = None

    def add(self, segments: Sequence[Segment], item: T, names: tuple[str, ...] = ()) -> None:
        """Put something behind a template; raise `Taken` where something is there."""
        if not segments:
            if self._item is not None:
                raise Taken
            self._item = item, names
            return
        first = segments[0]
        if not first.name:
            self._written.setdefault(first.before, Routes()).add(segments[1:], item, names)
            return
        _, below = self._open.setdefault(first.key, (first, Routes()))
        below.add(segments[1:], item, (*names, first.name))
        longest_first = sorted(self._open.items(), key=lambda pair: -len(pair[0][1]) - len(pair[0][2]))
        self._open = dict(longest_first)

    def find(self, segments: Sequence[str], values: tuple[str, ...] = ()) -> tuple[T, dict[str, str]] | None:
        """Return what stands behind the template of a path, with its parameters by name."""
        if not segments:
            return None if self._item is None else (self._item[0], dict(zip(self._item[1], values, strict=True)))
        first, rest = segments[0], segments[1:]
        if (below := self._written.get(first)) is not None and (found := below.find(rest, values)) is not None:
            return found
        for segment, below in self._open.values():
            value = segment.takes(first)
            if value is not None and (found := below.find(rest, (*values, value))) is not None:
                return found
        return None
