"""Which names the admin port shows anything under.

A web page that the operator visits can have its own name point at this port (DNS rebinding); its browser then takes
what we answer for the page's own, and sends that name as the host. So we answer to addresses, to names that no public
DNS gives out, and to names that the settings call ours. What a page holds is not said here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.errors import Refusal
from authz.paths import canonical_host, canonical_ip

if TYPE_CHECKING:
    from collections.abc import Sequence

PRIVATE_NAMES = (".localhost", ".local", ".internal", ".svc", ".cluster.local")


def answers_to(host: str, ours: Sequence[str] = ()) -> bool:
    """Say whether a `Host` is an address, a name no public DNS gives out, one of `ours`, or below `*.` of one.

    Without one nobody asks by name: browsers always send it.
    """
    if not host:
        return True
    try:
        name = canonical_host(host).name
    except Refusal:
        return False
    if "." not in name or canonical_ip(name.strip("[]")) or name.endswith(PRIVATE_NAMES):
        return True
    return any(name.endswith(own[1:]) if own.startswith("*.") else name == own for own in ours)
