"""Where a redirect may lead: a link that anybody can write must not send callers to a host of its writer's choice.

Where the author wrote scheme, host and port, that is where it leads, whatever fills in the rest. Where a `${...}` has
a part in them, the result is looked at, as strictly as the strictest reader of URLs would: http or https, a host
without user information that is the request's own or an allowed one; or a path that browsers cannot take for a host.
Anything else is an error, hence a denial.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from authz import paths
from authz.errors import Refusal
from authz.policy import template

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authz.policy.source import Text
    from authz.policy.template import Template
    from authz.policy.terms import Terms

OWN = "request.host"
"""The name of the host that may always be led to."""

_SETTLED = re.compile(r"https?://[^/?#\\@]+[/?#]|/[^/\\]")
"""The beginning of a URL that says where it leads."""

_ABSOLUTE = re.compile(r"https?://([^/?#\\]*)(?:[/?#]|$)")
_NAMED = re.compile(r"https?://([^/?#\\@:]+)")


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where a redirect leads. `hosts` are those it may lead to beside the request's own; `None`: the author said it."""

    target: Template
    hosts: tuple[str, ...] | None

    def strays(self, location: str, own: str) -> bool:
        """Whether a location is on a host that nobody allowed; `own` is the request's."""
        if self.hosts is None:
            return False
        if location.startswith("/"):
            return location.startswith(("//", "/\\"))
        absolute = _ABSOLUTE.match(location)
        try:
            host = paths.canonical_host(absolute[1] if absolute else "").name
        except Refusal:
            return True
        return host != own and not any(_is_at(host, allowed) for allowed in self.hosts)


def destination(written: Text, hosts: Sequence[str], label: str, terms: Terms) -> Destination:
    """Compile where a redirect leads."""
    target = template.location(written, label, terms)
    begin = target.constant if target.constant is not None else target.parts[0] if target.parts else ""
    if target.constant is not None or (isinstance(begin, str) and _SETTLED.match(begin)):
        return Destination(target=target, hosts=None)
    terms.also_read(OWN)
    named = _NAMED.match(begin) if isinstance(begin, str) else None
    return Destination(target=target, hosts=(*map(str, hosts), *([named[1]] if named else ())))


def _is_at(host: str, allowed: str) -> bool:
    """Whether a host is an allowed one, or below `*.` of one."""
    return host.endswith(allowed[1:]) and len(host) > len(allowed) - 1 if allowed.startswith("*.") else host == allowed
