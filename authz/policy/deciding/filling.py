"""What an answer carries for one request: the changes of rules that held, with every text filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.model import MAX_HEADER_BYTES, MAX_HEADERS, MAX_QUERY_BYTES, OUR_HEADERS, HeaderMutation, Mutations
from authz.policy.deciding.case import Failed
from authz.policy.deciding.crumbs import COOKIE, without

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from authz.policy.deciding.case import Case
    from authz.policy.deciding.changes import Merged, Writing


def mutations_of(merged: Merged, case: Case) -> Mutations:
    """Return the changes with every text filled in; raise `Failed` where one has no value, or all are too much."""
    written, removed = tuple(_headers(merged.request_headers, case)), merged.request_headers_remove
    if merged.cookies_remove:
        written, removed = _without_cookies(merged.cookies_remove, case, written, removed)
    mutations = Mutations(
        request_headers=written,
        request_headers_remove=removed,
        response_headers=(*_headers(merged.response_headers, case), *_cookies(merged.cookies, case)),
        query_set=tuple((item.name, case.text(item.value, item.place, item.rule)) for item in merged.query_set),
        query_remove=merged.query_remove,
        metadata={item.name: case.data(item.value, item.place, item.rule) for item in merged.metadata},
    )
    writings = (*merged.request_headers, *merged.response_headers, *merged.cookies, *merged.query_set)
    if writings and (excess := _excess(mutations)):
        raise Failed(writings[-1].place, writings[-1].rule, excess)
    return mutations


def _excess(mutations: Mutations) -> str:
    """Return what of some changes is more than Envoy takes beside what we write ourselves, or nothing."""
    headers = (*mutations.request_headers, *mutations.response_headers)
    if len(headers) + len(mutations.request_headers_remove) > MAX_HEADERS - OUR_HEADERS:
        return f"more than {MAX_HEADERS - OUR_HEADERS} headers are changed"
    if sum(len(header.name) + len(header.value) for header in headers) > MAX_HEADER_BYTES:
        return f"the headers that are written have more than {MAX_HEADER_BYTES} characters"
    if sum(len(name) + len(value) for name, value in mutations.query_set) > MAX_QUERY_BYTES:
        return f"the query parameters that are written have more than {MAX_QUERY_BYTES} characters"
    return ""


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
