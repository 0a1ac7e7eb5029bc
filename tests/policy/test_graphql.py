"""The operation of a GraphQL request is read for certain, or not at all."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz._pb.authz.v1.vocabulary_pb2 import Graphql
from authz.policy.facts import UnboundError
from authz.policy.graphql import LONGEST, MOST_LEVELS, MOST_PIECES, _definitions, _Spreading, graphql
from tests.policy.conftest import facts_of, request_of


def read(query: str, **more: Any) -> Graphql:
    """Return what is read of a query."""
    return graphql(facts_of(request_of({"json": {"query": query, **more}})))


@pytest.mark.parametrize(
    ("body", "kind", "name"),
    [
        ({"query": "{ orders { id } }"}, "query", ""),
        ({"query": "query Q { a }"}, "query", "Q"),
        ({"query": "mutation($id: ID! = {a: 1}) { delete(id: $id) }"}, "mutation", ""),
        ({"query": '# mutation X\n"mutation Y {" query Q @d(a: "}") { a(x: {y: "mutation Z {"}) }'}, "query", "Q"),
        ({"query": '"""mutation { \\""" """ subscription S { a }'}, "subscription", "S"),
        ({"query": "query A { a } mutation B { b } fragment F on T { c }", "operationName": "B"}, "mutation", "B"),
        ({"query": "fragment query on T { c } { a ...query }"}, "query", ""),
        ({"sku": "a"}, "", ""),
    ],
)
def test_graphql(body: Any, kind: str, name: str, make: Any) -> None:
    """The operation that is asked for is found among strings, comments, fragments and other operations."""
    found = graphql(make.facts(make.request({"json": body})))
    assert (found.operation_type, found.operation_name) == (kind, name)


@pytest.mark.parametrize(
    ("query", "fields", "depth"),
    [
        ("{ a }", ["a"], 1),
        ("{ a b c }", ["a", "b", "c"], 1),
        ("{ x: a, y: a, b }", ["a", "b"], 1),
        ("{ a { b { c } } d }", ["a", "d"], 3),
        ('{ a(x: {y: {z: [1]}}, s: "{ b }") { b } }', ["a"], 2),
        ("query Q($x: I = {a: 1}, $y: [S!]!) @d(x: {}) { a @include(if: $x) { b @skip(if: $y) } c }", ["a", "c"], 2),
        ("{ ... { a { b } } ... on T { c } ...F } fragment F on T { d { e { f } } }", ["a", "c", "d"], 3),
        ("{ a { ...F } } fragment F on T { b { c } ...G } fragment G on T { d }", ["a"], 3),
        ("{ ... @include(if: true) { a } ... on T @d(x: 1) { b } }", ["a", "b"], 1),
        ("{ on type: fragment query { mutation } }", ["on", "fragment", "query"], 2),
        ("{ a: on { ...on T { b } } }", ["on"], 2),
        ("{a{b}}", ["a"], 2),
    ],
)
def test_fields_and_depth(query: str, fields: list[str], depth: int) -> None:
    """By their own names, through fragments of every kind; conditions count as if they held."""
    found = read(query)
    assert (list(found.fields), found.depth) == (fields, depth)


@pytest.mark.parametrize(
    "query",
    [
        "{ a", "{ a }}", "a }", "{ a ) }", "{ (a }", "{ { a } }", "{ a: }}", "{ $a }", "{ a = b }", "{ a [b] }",
        "{ ...F }", "{ ...F } fragment F on T { ...F }", "{ ...F } fragment F on T { a } fragment F on T { b }",
        "{ ...F } fragment F on T { ...G } fragment G on T { a { ...F } }", "query", "{ a } ?", "=",
        "{" + "a{" * MOST_LEVELS + "b" + "}" * MOST_LEVELS + "}",
    ],
)  # fmt: skip
def test_a_document_that_breaks_off_or_turns_in_circles(query: str) -> None:
    """What a server would refuse, or could be kept busy with, is no value."""
    with pytest.raises(UnboundError):
        read(query)


def test_fragments_cannot_multiply() -> None:
    """Forty fragments that each spread the next one twice are looked at once each."""
    chain = " ".join(f"fragment F{n} on T {{ a {{ ...F{n + 1} }} b {{ ...F{n + 1} }} }}" for n in range(40))
    found = read(f"{{ ...F0 }} {chain} fragment F40 on T {{ c }}")
    assert (list(found.fields), found.depth) == (["a", "b"], 41)
    long = " ".join(f"fragment F{n} on T {{ ...F{n + 1} }}" for n in range(100))
    with pytest.raises(UnboundError):
        read(f"{{ ...F0 }} {long} fragment F100 on T {{ c }}")


@given(st.text(alphabet='{}()a:@.on "#$!', max_size=30))
def test_no_document_is_read_otherwise_than_as_one(document: str) -> None:
    """Whatever is sent: an operation, or no value; nothing else is raised, and no field comes from nowhere."""
    try:
        found = read(document)
    except UnboundError:
        return
    assert found.operation_type in {"query", "mutation", "subscription"}
    assert all(field in document for field in found.fields)


def test_a_query_in_the_url_is_one_too() -> None:
    """A GET can ask; a request that says one thing in its URL and another in its body is not read."""
    words = {"query": "query=mutation%20A%20%7B%20drop%20%7D&x=1"}
    assert graphql(facts_of(request_of(words))).operation_type == "mutation"
    for more in ({"json": {"query": "{ a }"}}, {"query": words["query"] + "&query=x"}, {"query": "query=%zz"}):
        with pytest.raises(UnboundError):
            graphql(facts_of(request_of(words | more)))
    for words in ({"query": "page=2&id=1"}, {"query": "page=2", "json": {"sku": "a"}}):
        assert graphql(facts_of(request_of(words))) == Graphql()


@pytest.mark.parametrize(
    "body",
    [
        {"extensions": {"persistedQuery": {"sha256Hash": "a"}}},
        {"documentId": "a"},
        {"query": "{ a }", "documentId": "a"},
        {"query": "{ a }", "doc_id": "a"},
        {"query": "{ a }", "id": "a"},
        {"query": "{ a }", "extensions": {"persistedQuery": {"sha256Hash": "a"}}},
        {"query": "{ a }", "extensions": {"persistedQuery": "a"}},
        {"query": "{ a }", "extensions": "a"},
        {"query": "{ a }", "Query": "mutation { b }"},
        {"query": "{ a }", "OperationName": "B"},
        {"query": "query A { a } mutation B { b }"},
        {"query": "query A { a }", "operationName": "B"},
        {"query": ""},
        {"operationName": "A"},
        {"query": ["mutation { a }"]},
        [{"query": "mutation { a }"}],
    ],
)
def test_an_operation_that_cannot_be_told(body: Any, make: Any) -> None:
    """Which of several operations runs, or what a batch or a stored query does, is not guessed."""
    with pytest.raises(UnboundError):
        graphql(make.facts(make.request({"json": body})))


def test_a_stored_query_that_is_the_one_beside_it() -> None:
    """A client that has a server store its query (Apollo's persisted queries) says one thing twice, and is read."""
    query = "query A { a }"
    stored = {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(query.encode()).hexdigest()}}
    assert read(query, extensions=stored).operation_name == "A"
    assert read(query, extensions={"tracing": True}, documentId=None).operation_name == "A"


def test_fragments_that_are_spread_often_are_looked_at_once() -> None:
    """A large fragment that is spread at every turn costs no more than its text: else one body holds up all others."""

    class Field(str):
        """A field, and how often any was put into a map."""

        __slots__ = ()
        times = 0

        def __hash__(self) -> int:
            """Take note."""
            Field.times += 1
            return super().__hash__()

    others = " ".join(f"fragment F{n} on T {{ ...B }}" for n in range(50))
    spread = " ".join(f"...B ...F{n}" for n in range(50))
    definitions = _definitions(f"{{ {spread} }} fragment B on T {{ a b c }} {others}")
    definitions[1].fields = dict.fromkeys(map(Field, definitions[1].fields))
    Field.times = 0
    assert _Spreading(definitions).of(definitions[0]) == (("a", "b", "c"), 1)
    assert Field.times <= 3


def test_fragments_in_a_long_row_end_in_no_other_error() -> None:
    """However they are ordered, fragments that spread the next one are read, or are no value."""
    row = "".join(f"fragment F{n} on T{{...F{n + 1}}}" for n in range(1200)) + "fragment F1200 on T{a}"
    backwards = "".join(f"...F{n}" for n in range(1200, -1, -1))
    assert list(read(f"{{ x {{ {backwards} }} ...F0 }} {row}").fields) == ["x", "a"]


def test_a_document_has_a_bound() -> None:
    """The thread that decides reads a document before it decides anything else."""
    assert list(read("{ a }" + "," * (LONGEST - 5)).fields) == ["a"]
    with pytest.raises(UnboundError):
        read("{ a }" + "," * (LONGEST - 4))


def test_a_document_has_a_bound_on_its_parts() -> None:
    """G5: tens of thousands of one-letter fields fit the bound on characters, and hold up the checks behind them."""
    assert list(read("{" + "a " * (MOST_PIECES // 2 - 1) + "}").fields) == ["a"]
    with pytest.raises(UnboundError, match="too many parts"):
        read("{" + "a " * (MOST_PIECES // 2) + "}")


def test_hostile_queries_are_read_in_linear_time(make: Any) -> None:
    """A query of quotes and backslashes costs no more than its length."""
    for query in ('"""' + '\\"""' * 20_000, '"\\' * 30_000, '"' * 60_000, "{" * 60_000):
        with pytest.raises(UnboundError):
            graphql(make.facts(make.request({"json": {"query": query, "operationName": "x"}})))
