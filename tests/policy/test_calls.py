"""Calls of MCP, gRPC and GraphQL are read for certain, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from authz._pb.authz.v1.vocabulary_pb2 import Graphql, Grpc, Mcp
from authz.policy.calls import graphql, grpc, mcp
from authz.policy.facts import UnboundError


@pytest.mark.parametrize(
    ("body", "call"),
    [
        (
            {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "delete", "arguments": {}}},
            ("tools/call", "delete"),
        ),
        ({"jsonrpc": "2.0", "method": "tools/list"}, ("tools/list", "")),
        ({"sku": "a"}, ("", "")),
    ],
)
def test_mcp(body: Any, call: tuple[str, str], make: Any) -> None:
    """A call has its method, and a tool where it calls one."""
    method, tool = call
    assert mcp(make.facts(make.request({"json": body}))) == Mcp(method=method, tool=tool)


@pytest.mark.parametrize(
    "words",
    [
        {"json": [{"method": "tools/call", "params": {"name": "x"}}]},
        {"json": {"method": "tools/call", "params": {}}},
        {"json": {"method": 1}},
        {"body": "{"},
        {"body_state": "truncated"},
    ],
)
def test_what_might_be_an_mcp_call_is_no_absent_one(words: dict[str, Any], make: Any) -> None:
    """A batch, a tool without a name or a body that cannot be read is no value, so that no rule passes it."""
    with pytest.raises(UnboundError):
        mcp(make.facts(make.request(words)))


def test_without_a_body_there_is_no_call(make: Any) -> None:
    """A GET is neither an MCP call nor a GraphQL request."""
    facts = make.facts(make.request({}))
    assert (mcp(facts), graphql(facts)) == (Mcp(), Graphql())


@pytest.mark.parametrize("media_type", ["application/grpc", "application/grpc+proto", "Application/gRPC-Web; x=y"])
def test_grpc(media_type: str, make: Any) -> None:
    """P10: service and method are the two segments of a gRPC path."""
    facts = make.facts(make.request({"path": "/shop.v1.Orders/Delete", "headers": {"content-type": media_type}}))
    assert grpc(facts) == Grpc(service="shop.v1.Orders", method="Delete")


@pytest.mark.parametrize("path", ["/shop.v1.Orders", "/shop.v1.Orders/Delete/extra", "/shop.v1.Orders/", "/"])
def test_a_grpc_path_has_two_segments(path: str, make: Any) -> None:
    """P10: a path of any other form is no gRPC call that could be told."""
    with pytest.raises(UnboundError):
        grpc(make.facts(make.request({"path": path, "headers": {"content-type": "application/grpc"}})))


def test_other_requests_are_no_grpc(make: Any) -> None:
    """Without gRPC's media type a path is a path."""
    assert grpc(make.facts(make.request({"path": "/a/b", "headers": {"content-type": "application/json"}}))) == Grpc()


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
    "body",
    [
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


def test_hostile_queries_are_read_in_linear_time(make: Any) -> None:
    """A query of quotes and backslashes costs no more than its length."""
    for query in ('"""' + '\\"""' * 20_000, '"\\' * 30_000, '"' * 60_000, "{" * 60_000):
        with pytest.raises(UnboundError):
            graphql(make.facts(make.request({"json": {"query": query, "operationName": "x"}})))
