"""Where an API lives: the paths in front of its own. Hosts are the business of `match`."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING

from authz import paths
from authz.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz.content.openapi.document import Node

MOST = 64
"""Combinations of a server's variables."""

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_ORIGIN = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*")
_SERVER = frozenset({"description", "name", "url", "variables"})
_SERVER_VARIABLE = frozenset({"default", "description", "enum"})


def bases(node: Node, above: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    """Return the segments in front of the paths of a document, path item or operation; its own or those above it."""
    found = [base for server in node.elements("servers") for base in _bases(server.only(_SERVER))]
    return tuple(dict.fromkeys(found)) or above


def _bases(server: Node) -> Iterator[tuple[str, ...]]:
    url = server.needed("url")
    names = list(dict.fromkeys(_VARIABLE.findall(_ORIGIN.sub("", url))))
    choices = [_values(server, name) for name in names]
    for number, values in enumerate(product(*choices)):
        if number == MOST:
            server.flaw(f"the variables of the server have more than {MOST} combinations")
            return
        filled = url
        for name, value in zip(names, values, strict=True):
            filled = filled.replace(f"{{{name}}}", value)
        try:
            path = paths.canonical("/" + _ORIGIN.sub("", filled).strip("/")).path
        except Refusal as refusal:
            server.flaw(f"no request has the path of the server: {refusal.detail}")
            return
        yield tuple(map(paths.decoded, paths.segments(path)))


def _values(server: Node, name: str) -> list[str]:
    variable = next((each for key, each in server.members("variables") if key == name), None)
    if variable is None:
        server.flaw(f'the variable "{name}" of the server is not described')
        return []
    variable.only(_SERVER_VARIABLE)
    listed = [str(each.value) for each in variable.elements("enum")]
    return listed or [variable.needed("default")]
