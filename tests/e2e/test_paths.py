"""One path: what the policies decide on is what the upstream is asked for, or the request goes nowhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import Edge, manager_of, running

if TYPE_CHECKING:
    from collections.abc import Iterator

WAYS_TO_ADMIN = (
    *("/admin", "/admin/", "/admin/x", "/admin?x", "/admin?", "/admin/?/public/"),
    *("//admin/x", "///admin/x", "//admin/x?y=1", "//user@admin/../admin/x", "/./admin", "/.//admin"),
    *("/%61dmin", "/%61%64%6d%69%6e/x", "/adm%69n/x", "/public/../admin", "/public/./../admin/x", "/../../admin"),
    *("/admin/.", "/admin/..//admin", "/admin/x/..", "/admin/%7e", "/admin/a*b", "/admin/(x)", "/admin/x:y,z"),
)
AMBIGUOUS = (
    *("/admin%2fsecret", "/admin%2Fsecret", "/admin%5csecret", "/admin%5Csecret", "/x%2f..%2fadmin", "/x%2F..%2fadmin"),
    *("/public/%2e%2e/admin", "/public/.%2e/admin", "/public/%2e./admin", "/%2e%2e%5cadmin", "/x%5c%2e%2e/admin"),
    *("/admin;x=y/a;b=c", "/user/..;a/admin", "/;/admin", "/admin;", "/a%00b", "/a%", "/a%zz", "/%c0%af", "/%ff"),
    *("/public#/../admin", "/admin#x", "/a%0d%0ab", "/public\\..\\admin", "/" + "a" * 9000),
)
SETTLED = ("/a//../admin", "/a\\b", "/a\\..\\b")
"""What Envoy reads in one way as it ships, and nobody does otherwise."""

HARMLESS = (
    *("/", "/public", "/public/", "/ADMIN", "/administrator", "/x?/admin", "/x?next=/../admin", "/foo/bar..baz"),
    *("/%252e%252e/admin", "/%2561dmin", "/admin%23x", "/%C3%A4", "/a%20b", "/x?a=%2e%2e%2f"),
)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """Return an Envoy that passes on every path as it came: the service is alone with it."""

    def change(configuration: dict[str, object]) -> None:
        manager = manager_of(configuration)
        manager |= {"normalize_path": False, "merge_slashes": False}
        manager["path_with_escaped_slashes_action"] = "KEEP_UNCHANGED"

    with running(tmp_path_factory.mktemp("bare"), change=change) as edge:
        yield edge


@pytest.fixture(params=["edge", "bare"])
def either(request: pytest.FixtureRequest) -> Edge:
    """Return the Envoy that ships, and the one that does nothing about paths."""
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("target", WAYS_TO_ADMIN)
def test_every_way_to_a_closed_path_is_closed(target: str, either: Edge) -> None:
    """Rows P1, P2, P4 and P11: denied by the rule about the path, whoever made it canonical."""
    answer = either.ask(target=target)
    assert (answer.status, answer.decided) == (403, True)
    assert answer.problem["detail"] == "Nobody goes here."


@pytest.mark.parametrize("target", AMBIGUOUS)
def test_what_can_be_read_in_two_ways_goes_nowhere(target: str, either: Edge) -> None:
    """Rows P3 to P6 and P8: refused by Envoy or by the service, or denied as what it is."""
    assert either.ask(target=target).status in {400, 403}


@pytest.mark.parametrize("target", AMBIGUOUS)
def test_the_service_alone_refuses_it_too(target: str, bare: Edge) -> None:
    """Rows P3 to P6 and P8: what Envoy passes on is a 400 of ours that says why; some it refuses by itself."""
    answer = bare.ask(target=target)
    if answer.decided and answer.status == 400:
        assert answer.problem["reason"] == "ambiguous_request"
    else:
        assert answer.status in {400, 403}, "cut at the fragment, this is the closed path"


@pytest.mark.parametrize("target", HARMLESS)
def test_the_upstream_gets_the_path_that_was_decided(target: str, either: Edge) -> None:
    """Rows P2, P7: case, queries and double escapes open nothing, and change nothing on the way."""
    seen = either.ask(target=target).seen
    decided = seen["headers"]["x-decided-path"]
    assert not decided.startswith("/admin/")
    assert _unescaped(seen["path"].partition("?")[0]) == _unescaped(decided)


@pytest.mark.parametrize("target", SETTLED)
def test_what_envoy_settles_is_decided_as_it_goes_on(target: str, edge: Edge, bare: Edge) -> None:
    """Row P4: the upstream gets the reading that was decided; where nobody has settled on one, it gets nothing."""
    seen = edge.ask(target=target).seen
    assert seen["path"] == seen["headers"]["x-decided-path"]
    assert bare.ask(target=target).problem["reason"] == "ambiguous_request"


def _unescaped(path: str) -> str:
    return re.sub(r"%(?=(?:2[3-9A-E]|[3-9A-F])[0-9A-Fa-f])(..)", lambda escape: f"%{escape[1].upper()}", path)


@pytest.mark.parametrize(
    ("method", "target", "statuses"),
    [
        ("OPTIONS", "*", {400, 403, 404}),
        ("CONNECT", "shop.example.com:443", {400, 403, 404, 405}),
        ("GET", "http://shop.example.com/admin", {403}),
        ("GET", "admin", {400}),
        ("GET", "", {400}),
        ("get", "/", {400, 403}),
        ("PURGE", "/", {400, 403}),
    ],
)
def test_targets_that_are_no_paths_open_nothing(method: str, target: str, statuses: set[int], either: Edge) -> None:
    """Rows P9, P10 and P12: asterisk, authority and absolute form, no slash, no path, another method."""
    assert either.ask(method, target).status in statuses


@pytest.mark.parametrize(
    "headers",
    [
        {"x-http-method-override": "DELETE"},
        {"x-original-url": "/public", "x-rewrite-url": "/public"},
        {"x-forwarded-uri": "/public", "x-forwarded-method": "GET"},
        {"x-envoy-original-path": "/public"},
    ],
)
def test_headers_that_claim_another_target_are_not_consulted(headers: dict[str, str], either: Edge) -> None:
    """Row P12: the closed path stays closed, the open one stays what it is."""
    assert either.ask(target="/admin", headers=headers).status == 403
    assert either.ask(target="/public", headers=headers).seen["headers"]["x-decided-path"] == "/public"
