"""Everything that is wrong with a configuration of Envoy, each with its place.

Several files are one configuration: a listener in one, its routes in another. A file in which nothing of Envoy's is
found is itself a finding; no news is good news only of what was looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.envoy.asking import Against, filter_findings
from authz.envoy.chains import admin_findings, listener_findings, manager_findings, unseen_findings
from authz.envoy.codes import NOTHING
from authz.envoy.fitting import FILTER
from authz.envoy.parts import parts
from authz.envoy.reaching import cluster_findings
from authz.envoy.reading import found, read
from authz.envoy.routing import pair_findings, route_findings
from authz.policy.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from authz.config import Settings
    from authz.envoy.parts import Parts
    from authz.errors import Fault
    from authz.policy import Needs


def findings(files: Mapping[str, bytes], settings: Settings, needs: Needs | None = None) -> tuple[Fault, ...]:
    """Return what is wrong with files that are one configuration, in order of place."""
    told: set[Fault] = set()
    documents = []
    for file, content in files.items():
        nodes, faults = read(file, content)
        told.update(faults)
        documents += nodes
        if not faults and not (parts(nodes).any or parts(nodes).clusters):
            told.add(_nothing(file))
    whole = parts(documents)
    if not told and not whole.any:
        told.update(map(_nothing, files))
    told.update(_findings(whole, Against(settings=settings, needs=needs)))
    return tuple(sorted(told))


def _nothing(file: str) -> Fault:
    return found(Source(file, ""), 0, NOTHING, "no listener, filter or route of Envoy's is in it")


def _findings(one: Parts, against: Against) -> Iterator[Fault]:
    filters = [asking for manager in one.managers for _, asking in manager.asking] + one.bare
    names = frozenset({FILTER, *(asking.name for asking in filters)})
    for listener in one.listeners:
        yield from listener_findings(listener)
    for manager in one.managers:
        yield from manager_findings(manager, against)
        yield from pair_findings(manager, one, against)
    for routes in one.routes:
        yield from route_findings(routes, names, against)
    yield from unseen_findings(one)
    for asking in filters:
        yield from filter_findings(asking, against)
        yield from cluster_findings(asking, one)
    yield from admin_findings(one)
