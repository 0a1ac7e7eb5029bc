"""Whether one route takes every request of another, or some of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.policy.routing.covering import Neighbours, covers, meets
from authz.policy.routing.entries import Entry, Route
from authz.policy.routing.index import Index
from authz.policy.routing.routes import segments, template

HOSTS = ("", "a.example.com", "b.a.example.com", "*.example.com", "*.a.example.com")
PATHS = st.lists(st.sampled_from(["a", "b", "*"]), max_size=3).flatmap(
    lambda parts: st.sampled_from(["/" + "/".join(parts), "/" + "/".join([*parts, "**"])])
)
ROUTES = st.builds(
    lambda host, path, methods: Route(host=host, template=template(path), methods=methods),
    st.sampled_from(HOSTS),
    PATHS,
    st.sampled_from([(), ("GET",), ("GET", "POST")]),
)
REQUESTS = st.tuples(
    st.sampled_from(["a.example.com", "b.a.example.com", "example.com", "other.test"]),
    st.lists(st.sampled_from(["a", "b", "c"]), max_size=4).map(lambda parts: "/" + "/".join(parts)),
    st.sampled_from(["GET", "POST", "PUT"]),
)


def takes(route: Route, request: tuple[str, str, str]) -> bool:
    """Ask the index that serves."""
    host, path, method = request
    entry = Entry(order=(0, ""), document=route, routes=(route,))
    return Index(bool, [entry]).find(host, segments(path), method)


@given(ROUTES, ROUTES, REQUESTS)
def test_the_index_agrees(one: Route, other: Route, request: tuple[str, str, str]) -> None:
    """A request that the covered route takes is taken by the covering one; routes that never meet share none."""
    if takes(other, request):
        assert takes(one, request) or not covers(one, other)
        assert meets(one, other) or not takes(one, request)


@given(ROUTES, ROUTES)
def test_what_covers_meets(one: Route, other: Route) -> None:
    """A route covers itself, and covering is one way to meet."""
    assert covers(one, one)
    assert meets(one, other) == meets(other, one)
    assert meets(one, other) or not covers(one, other)


@pytest.mark.parametrize(
    ("one", "other", "covered", "met"),
    [
        ("/**", "/a/{id}", True, True),
        ("/a/**", "/a", True, True),
        ("/a/{id}", "/a/b", True, True),
        ("/a/b", "/a/{id}", False, True),
        ("/a/{id}", "/a/**", False, True),
        ("/a", "/b/**", False, False),
        ("/a/b", "/a", False, False),
    ],
)
def test_paths_are_compared_by_segment(one: str, other: str, covered: bool, met: bool) -> None:
    """`**` takes none or more, a name takes one."""
    first, second = Route(template=template(one)), Route(template=template(other))
    assert (covers(first, second), meets(first, second)) == (covered, met)


@given(st.lists(st.lists(ROUTES, max_size=2), max_size=6), ROUTES)
def test_neighbours_are_all_that_meet(placed: list[list[Route]], route: Route) -> None:
    """What is left out meets the route nowhere, and the order is kept."""
    near = Neighbours(enumerate(placed)).of(route)
    assert near == sorted(near)
    assert near == [place for place in near if place < len(placed)]
    assert {place for place, routes in enumerate(placed) if any(meets(one, route) for one in routes)} <= set(near)


def test_paths_that_begin_otherwise_are_no_neighbours() -> None:
    """Ten thousand documents cost what a few do."""
    placed = [(name, [Route(template=template(name))]) for name in ("/a/b", "/a/{x}", "/b/**", "/a/b/c", "/**")]
    assert Neighbours(placed).of(Route(template=template("/a/b"))) == ["/a/b", "/a/{x}", "/**"]
    assert Neighbours(placed).of(Route(template=template("/a/b/**"))) == ["/a/b", "/a/{x}", "/a/b/c", "/**"]
