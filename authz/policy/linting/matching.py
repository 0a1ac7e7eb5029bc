"""Entries of `match` that never decide anything: methods nobody sends, paths that another entry takes already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.policy.documents.values import nearest
from authz.policy.linting.codes import Lint
from authz.policy.linting.looking import warned
from authz.policy.routing.covering import path_covers
from authz.policy.routing.routes import EVERYTHING, template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz.errors import Fault
    from authz.policy.documents import Guardrail, Match, Policy
    from authz.policy.routing.entries import PathTemplate
    from authz.policy.source import Text

REGISTERED = frozenset(
    {
        "ACL", "BASELINE-CONTROL", "BIND", "CHECKIN", "CHECKOUT", "CONNECT", "COPY", "DELETE", "GET", "HEAD",
        "LABEL", "LINK", "LOCK", "MERGE", "MKACTIVITY", "MKCALENDAR", "MKCOL", "MKREDIRECTREF", "MKWORKSPACE",
        "MOVE", "OPTIONS", "ORDERPATCH", "PATCH", "POST", "PROPFIND", "PROPPATCH", "PURGE", "PUT", "QUERY",
        "REBIND", "REPORT", "SEARCH", "TRACE", "UNBIND", "UNCHECKOUT", "UNLINK", "UNLOCK", "UPDATE",
        "UPDATEREDIRECTREF", "VERSION-CONTROL",
    }
)  # fmt: skip
"""The methods of IANA's registry, and PURGE, which caches take."""


def odd(document: Policy | Guardrail) -> Iterator[Fault]:
    """Yield the warnings about what one document matches."""
    earlier: list[tuple[Match, Text | None, PathTemplate]] = []
    for entry in document.spec.match:
        for method in entry.methods or ():
            if method not in REGISTERED:
                meant = nearest(method, sorted(REGISTERED))
                hint = f'did you mean "{meant}"?' if meant else ""
                yield warned(method, Lint.ODD_METHOD, f"no registered method is called {method}", hint)
        for path in entry.paths or (None,):
            wanted = EVERYTHING if path is None else template(path)
            yield from _covered(entry, path, wanted, earlier)
            earlier.append((entry, path, wanted))


def _covered(
    entry: Match, path: Text | None, wanted: PathTemplate, earlier: list[tuple[Match, Text | None, PathTemplate]]
) -> Iterator[Fault]:
    for other, covering, taken in earlier:
        if path is not None and path_covers(taken, wanted) and _as_wide(other, entry):
            shown = "an entry without paths" if covering is None else covering
            message = f"{path} never decides: {shown} before it takes the same requests"
            yield warned(path, Lint.COVERED_PATH, message, "put it first, or leave it out")
            return


def _as_wide(one: Match, other: Match) -> bool:
    """Tell whether an entry takes every host and method that another one takes."""
    methods = not one.methods or (bool(other.methods) and set(one.methods) >= set(other.methods or ()))
    hosts = not one.hosts or (bool(other.hosts) and set(one.hosts) >= set(other.hosts or ()))
    return methods and hosts
