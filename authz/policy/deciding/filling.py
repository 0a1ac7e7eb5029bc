"""What an answer carries for one request: the changes of rules that held, with every text filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.model import HeaderMutation, Mutations
from authz.policy.deciding.crumbs import COOKIE, without

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from authz.policy.deciding.case import Case
    from authz.policy.deciding.changes import Merged, Writing


def mutations_of(merged: Merged, case: Case) -> Mutations:
    """Return the changes with every text filled in; raise `Failed` where one has no value."""
    written, removed = tuple(_headers(merged.request_headers, case)), merged.request_headers_remove
    if merged.cookies_remove:
        written, removed = _without_cookies(merged.cookies_remove, case, written, removed)
    return Mutations(
        request_headers=written,
        request_headers_remove=removed,
        response_headers=(*_headers(merged.response_headers, case), *_cookies(merged.cookies, case)),
        query_set=tuple((item.name, case.text(item.value, item.place, item.rule)) for item in merged.query_set),
        query_remove=merged.query_remove,
        metadata={item.name: case.data(item.value, item.place, item.rule) for item in merged.metadata},
    )


def _cookies(writings: Iterable[Writing], case: Case) -> Iterator[HeaderMutation]:
    for item in writings:
        value = f"{item.name}={case.text(item.value, item.place, item.rule)}{item.attributes}"
        yield HeaderMutation(name="set-cookie", value=value, append=True)


def _without_cookies(
    names: Sequence[str], case: Case, written: tuple[HeaderMutation, ...], removed: tuple[str, ...]
) -> tuple[tuple[HeaderMutation, ...], tuple[str, ...]]:
    """Return what happens to request headers if cookies go too; a Cookie header that a rule writes stays as it is."""
    request = case.facts.request
    if COOKIE in removed or any(header.name == COOKIE and not header.append for header in written):
        return written, removed
    left = without(request.headers.get(COOKIE, ""), names)
    if left and COOKIE not in request.invalid_headers:
        return (HeaderMutation(name=COOKIE, value=left), *written), removed
    return written, (*removed, COOKIE)


def _headers(writings: Iterable[Writing], case: Case) -> Iterator[HeaderMutation]:
    for item in writings:
        yield HeaderMutation(name=item.name, value=case.text(item.value, item.place, item.rule), append=item.append)
