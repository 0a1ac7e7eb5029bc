"""The index finds exactly what a naive matcher finds, and at a price that does not depend on what it does not find."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from authz.policy.routing.entries import Entry, Match, PathTemplate, Route
from authz.policy.routing.index import REMEMBERED, Index

LABELS = st.sampled_from(["a", "b", "com"])
HOSTS = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
PATTERNS = st.one_of(st.just(""), HOSTS, HOSTS.map("*.{}".format))
SEGMENTS = st.sampled_from(["v1", "x", "*", "~", "a b"])
METHODS = st.sampled_from(["GET", "POST", "get"])
TEMPLATES = st.builds(
    lambda segments, more: PathTemplate(segments=tuple(segments), open=more),
    st.lists(st.one_of(st.none(), SEGMENTS), max_size=4),
    st.booleans(),
)
ROUTES = st.builds(
    lambda host, template, methods: Route(host=host, template=template, methods=tuple(methods)),
    PATTERNS, TEMPLATES, st.lists(METHODS, max_size=2, unique=True),
)  # fmt: skip
REQUESTS = st.tuples(HOSTS, st.lists(SEGMENTS, max_size=5), METHODS)


@st.composite
def entries(draw: st.DrawFn) -> list[Entry[str]]:
    """Draw a handful of documents that get in each other's way."""
    names = draw(st.lists(st.sampled_from(string.ascii_lowercase), max_size=8, unique=True))
    return [
        Entry(
            order=(draw(st.integers(0, 1)), name),
            document=name,
            routes=tuple(draw(st.lists(ROUTES, max_size=3))),
        )
        for name in names
    ]


def takes(route: Route, host: str, segments: list[str], method: str) -> bool:
    """Match a route in the plainest way."""
    if route.host.startswith("*."):
        fits_host = host.endswith(route.host[1:]) and host != route.host[1:]
    else:
        fits_host = route.host in {"", host}
    wanted = route.template.segments
    fits_length = len(segments) >= len(wanted) if route.template.open else len(segments) == len(wanted)
    fits_path = fits_length and all(want in {None, got} for want, got in zip(wanted, segments, strict=False))
    return fits_host and fits_path and (not route.methods or method in route.methods)


def naive(documents: list[Entry[str]], request: tuple[str, list[str], str]) -> list[tuple[str, PathTemplate]]:
    """Return the documents whose routes take a request, in order, with the first template that does."""
    found = []
    for entry in sorted(documents, key=lambda entry: entry.order):
        route = next((route for route in entry.routes if takes(route, *request)), None)
        if route is not None:
            found.append((entry.document, route.template))
    return found


def names(matches: tuple[Match[str], ...]) -> list[tuple[str, PathTemplate]]:
    """Return what an index found in the form of the naive matcher."""
    return [(match.document, match.template) for match in matches]


@given(entries(), st.lists(REQUESTS, min_size=1, max_size=5))
def test_finds_what_a_naive_matcher_finds(documents: list[Entry[str]], requests: list) -> None:
    """For any documents and any request the trie and a linear scan agree, in order and in templates."""
    index = Index(names, documents)
    for request in requests:
        assert index.find(*request) == naive(documents, request)


@given(entries(), entries(), st.lists(REQUESTS, min_size=1, max_size=5))
def test_an_update_is_a_rebuild(before: list[Entry[str]], after: list[Entry[str]], requests: list) -> None:
    """An update gives the index that would have been built anew, and leaves the old one as it was."""
    old = Index(names, before)
    new = old.updated(names, removed=before, added=after)
    for request in requests:
        assert new.find(*request) == naive(after, request)
        assert old.find(*request) == naive(before, request)


@given(entries(), st.lists(REQUESTS, min_size=1, max_size=5))
def test_what_was_forgotten_is_found_again(documents: list[Entry[str]], requests: list) -> None:
    """An index that forgets its answers, with pauses, gives the same ones afterwards."""
    pauses: list[None] = []
    index = Index(names, documents)
    before = [index.find(*request) for request in requests]
    index.forget(lambda: pauses.append(None))
    assert index._answers == {}
    assert pauses
    assert [index.find(*request) for request in requests] == before


def test_nothing_stays_behind() -> None:
    """An index whose entries were all removed holds no node of them."""
    entry = Entry(
        order=(0, "x"),
        document="x",
        routes=(Route(host="*.a.com", template=PathTemplate(segments=("v1", None), open=True), methods=("GET",)),),
    )
    index = Index(names, [entry]).updated(names, removed=[entry], added=[])
    assert index._hosts == {}


def test_the_first_route_gives_the_template() -> None:
    """Of several routes of one document that match, the one written first is the one captures come from."""
    exact = PathTemplate(segments=("v1", "orders"))
    captured = PathTemplate(segments=("v1", None), captures=(("kind", 1),))
    for routes in ((exact, captured), (captured, exact)):
        entry = Entry(order=(0, "x"), document="x", routes=tuple(Route(template=template) for template in routes))
        assert Index(names, [entry]).find("a.com", ["v1", "orders"], "GET") == [("x", routes[0])]


def test_a_wildcard_takes_one_or_more_labels() -> None:
    """`*.example.com` takes one label and more in front, never none, and never a mere suffix of a label."""
    entry = Entry(
        order=(0, "x"),
        document="x",
        routes=(Route(host="*.example.com", template=PathTemplate(segments=(), open=True)),),
    )
    index = Index(names, [entry])
    taken = [host for host in ("a.example.com", "a.b.example.com") if index.find(host, [], "GET")]
    missed = [
        host
        for host in ("example.com", "badexample.com", ".example.com", "example.com.a")
        if index.find(host, [], "GET")
    ]
    assert (len(taken), missed) == (2, [])


def test_odd_but_legal_characters_match_wildcards() -> None:
    """P11: no character of a segment keeps `/admin/**`, `*` or a capture from taking it."""
    rest = PathTemplate(segments=("admin",), open=True)
    one = PathTemplate(segments=("admin", None))
    index = Index(
        names,
        [
            Entry(order=(0, "rest"), document="rest", routes=(Route(template=rest),)),
            Entry(order=(0, "one"), document="one", routes=(Route(template=one),)),
        ],
    )
    for segment in ("*", "a*b", "~x", "(x)", "x:y", "x,y", "[v]", "**", "{id}", ".", " ", "ä"):
        assert index.find("h", ["admin", segment], "GET") == [("one", one), ("rest", rest)]


def test_what_does_not_match_costs_nothing() -> None:
    """A request meets the same nodes among 10 documents and among 10 000."""
    visits = []
    for count in (10, 10_000):
        documents = [
            Entry(
                order=(1, str(number)),
                document=str(number),
                routes=(
                    Route(host="api.example.com", template=PathTemplate(segments=("v1", f"s{number}", None))),
                    Route(host=f"t{number}.example.com", template=PathTemplate(segments=("v1",), open=True)),
                ),
            )
            for number in range(count)
        ]
        index = Index(names, documents)
        counted = Counting(("v1", "s5", "7"))
        assert [name for name, _ in index.find("api.example.com", counted, "GET")] == ["5"]
        visits.append((counted.steps, len(next(iter(index._answers)))))
    assert visits[0] == visits[1]


class Counting(list[str]):
    """Path segments that count how often they are read."""

    steps = 0

    def __iter__(self):  # noqa: ANN204 - a list's iterator
        for segment in super().__iter__():
            self.steps += 1
            yield segment


def test_memory_is_bounded() -> None:
    """However many combinations of leaves requests reach, the remembered answers stay bounded and right.

    The oldest make room, a few at a time: the others need not be made again.
    """
    documents = [
        Entry(
            order=(0, f"m{number}"),
            document=f"m{number}",
            routes=(Route(template=PathTemplate(segments=(), open=True), methods=(f"M{number}",)),),
        )
        for number in range(REMEMBERED + 10)
    ]
    index = Index(names, documents)
    for number in range(REMEMBERED + 10):
        assert [name for name, _ in index.find("h", [], f"M{number}")] == [f"m{number}"]
    assert REMEMBERED / 2 < len(index._answers) <= REMEMBERED
