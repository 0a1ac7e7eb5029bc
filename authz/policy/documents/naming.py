"""The names inside a document of tests: each is given once, and each that is used is given.

Looked up in the nodes, before anything is made of them, so that every fault is told at once and at its place.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from authz.policy.codes import Code
from authz.policy.documents.fixtures import NOBODY
from authz.policy.documents.values import nearest, taken
from authz.policy.source import Mapping, Sequence, Text, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from authz.errors import Fault
    from authz.policy.source import Node


def misnamed(node: Mapping) -> Iterator[Fault]:
    """Yield a fault for every name in a spec that nothing has, and for every one that is given twice."""
    identities, requests = _names(node, "identities"), _names(node, "requests")
    for name in identities:
        if name == NOBODY:
            yield name.fault(Code.NAME_TAKEN, f'"{NOBODY}" is whoever presents nothing')
    for name in _callers(node):
        yield from _known(name, [*identities, NOBODY], "identity", "identities")
    for name in _asked(node):
        yield from _known(name, requests, "request", "requests")
    yield from _circles(node.get("requests"))
    yield from _doubled(node.get("cases"))


def _items(node: Node | None) -> Iterator[Mapping]:
    """Yield the mappings of a list."""
    yield from (item for item in node if isinstance(item, Mapping)) if isinstance(node, Sequence) else ()


def _names(node: Mapping, key: str) -> list[Text]:
    named = node.get(key)
    return list(named.written()) if isinstance(named, Mapping) else []


def _asking(node: Mapping) -> Iterator[Mapping]:
    """Yield whatever asks: cases and their steps."""
    for case in _items(node.get("cases")):
        yield case
        yield from _items(case.get("steps"))


def _callers(node: Mapping) -> Iterator[Text]:
    for asking in _asking(node):
        if isinstance(name := asking.get("as"), Text):
            yield name
    for table in _items(node.get("matrix")):
        yield from _names(table, "expect")


def _asked(node: Mapping) -> Iterator[Text]:
    """Yield every name of a request that is used: by a case, a table, or another request."""
    requests = node.get("requests")
    written = [*(requests.values() if isinstance(requests, Mapping) else ())]
    written += [asking["request"] for asking in _asking(node) if "request" in asking]
    for request in written:
        name = request.get("like") if isinstance(request, Mapping) else request
        if isinstance(name, Text):
            yield name
    for table in _items(node.get("matrix")):
        columns = table.get("requests")
        yield from (name for name in columns if isinstance(name, Text)) if isinstance(columns, Sequence) else ()


def _known(name: Text, known: Collection[str], what: str, where: str) -> Iterator[Fault]:
    if name not in known:
        meant = nearest(name, known)
        hint = f'did you mean "{meant}"?' if meant else f"name it in {where}"
        yield name.fault(Code.UNNAMED, f"no {what} is called {quoted(name)} here", hint=hint)


def _circles(requests: Node | None) -> Iterator[Fault]:
    """Yield a fault for every request that is like itself in the end."""
    if not isinstance(requests, Mapping):
        return
    like = {str(name): node["like"] for name, node in requests.items() if isinstance(node, Mapping) and "like" in node}
    for name, place in like.items():
        way, next_ = [name], str(place)
        while next_ in like and next_ not in way:
            way.append(next_)
            next_ = str(like[next_])
        if next_ == name:
            yield place.fault(Code.TOGETHER, f'the request "{name}" is like itself: {" -> ".join([*way, name])}')


def _doubled(cases: Node | None) -> Iterator[Fault]:
    names = sorted((name for case in _items(cases) if isinstance(name := case.get("name"), Text)), key=str)
    for first, second in pairwise(names):
        if first == second:
            yield taken(first, second, "case")
