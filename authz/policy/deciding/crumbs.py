"""The Cookie header of a request without some of its cookies.

Servers read it in many ways: some decode names, some take commas for semicolons, some ignore case, some begin anew in
quotes. A cookie that any of them could take for one that is to go, goes; what is left is left as it was.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

COOKIE = "cookie"
"""The header."""

_BETWEEN = re.compile(r";|,(?=[ \t]*[A-Za-z0-9!#$%&'*+.^_`|~-]+=)")
"""What parts cookies; the comma is Envoy's, which joins several Cookie headers with it."""

_ESCAPE = re.compile(r"%([2-7][0-9A-Fa-f])")


def without(header: str, names: Collection[str]) -> str:
    """Return a Cookie header without the cookies of these names; nothing where no cookie is left."""
    gone = re.compile(rf"""(?:^|[\s,"])(?:{"|".join(map(re.escape, sorted(names)))})\s*(?:[=,"]|$)""", re.IGNORECASE)
    kept = (crumb.strip() for crumb in _BETWEEN.split(header) if not gone.search(_decoded(crumb).strip()))
    return "; ".join(filter(None, kept))


def _decoded(text: str) -> str:
    return _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), text)
