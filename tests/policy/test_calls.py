"""Calls of MCP and gRPC are read for certain, or not at all (GraphQL: `test_graphql`)."""

from __future__ import annotations

from typing import Any

import pytest

from authz._pb.authz.v1.vocabulary_pb2 import Grpc, Mcp
from authz.cel import VARIABLES, EngineName, Environment
from authz.policy.calls import grpc, mcp
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
        {"json": {"method": "tools/call", "params": {"name": "x", "arguments": [1]}}},
        {"json": {"method": "tools/call", "params": {"name": "x", "arguments": {"a": [{"b": 9007199254740993}]}}}},
        {"json": {"method": "tools/call", "params": ["x"]}},
        {"json": {"method": "prompts/get", "params": {"uri": "x"}}},
        {"json": {"method": "resources/read"}},
        {"json": {"method": "tools/list", "Method": "tools/call", "params": {"name": "x"}}},
        {"json": {"method": "tools/call", "params": {"name": "x"}, "param\u017f": {"name": "y"}}},
        {"json": {"method": "tools/call", "params": {"name": "x", "Name": "y"}}},
        {"json": {"method": "tools/call", "params": {"name": "x", "ARGUMENTS": {"amount": 9}}}},
        {"body": "{"},
        {"body_state": "truncated"},
    ],
)
def test_what_might_be_an_mcp_call_is_no_absent_one(words: dict[str, Any], make: Any) -> None:
    """P10: a batch, a tool without a name, a word in another case (which Go reads as the word) is no value."""
    with pytest.raises(UnboundError):
        mcp(make.facts(make.request(words)))


def test_without_a_body_there_is_no_call(make: Any) -> None:
    """A GET is no MCP call."""
    assert mcp(make.facts(make.request({}))) == Mcp()


def test_mcp_says_what_it_asks_for(make: Any) -> None:
    """Tools and prompts with their arguments, resources by URI, and what an `initialize` says of its caller."""
    asked = [
        ("tools/call", {"name": "pay", "arguments": {"amount": 12, "to": ["a"]}}),
        ("prompts/get", {"name": "greet"}),
        ("resources/read", {"uri": "file:///etc/passwd"}),
        ("initialize", {"protocolVersion": "2025-06-18", "clientInfo": {"name": "ide"}, "capabilities": {}}),
        ("initialize", None),
    ]
    calls = [mcp(make.facts(make.request({"json": {"method": method, "params": params}}))) for method, params in asked]
    assert [(call.tool, call.prompt, call.resource) for call in calls[:3]] == [
        ("pay", "", ""),
        ("", "greet", ""),
        ("", "", "file:///etc/passwd"),
    ]
    assert (calls[0].arguments["amount"], list(calls[0].arguments["to"])) == (12, ["a"])
    assert [(call.protocol_version, call.client) for call in calls[3:]] == [("2025-06-18", "ide"), ("", "")]


@pytest.mark.parametrize("engine", [EngineName.CEL_EXPR_PYTHON, EngineName.CEL_PYTHON])
def test_rules_read_arguments(engine: EngineName, make: Any) -> None:
    """On every engine: members by name, numbers as numbers, and a missing one is an error."""
    environment = Environment(VARIABLES, engine=engine)
    facts = make.facts(
        make.request({"json": {"method": "tools/call", "params": {"name": "pay", "arguments": {"amount": 12}}}})
    )
    activation = environment.activation({"request.mcp": mcp(facts)})
    for source, held in (
        ('request.mcp.tool == "pay" && request.mcp.arguments.amount < 100', True),
        ("request.mcp.arguments.amount == 13", False),
    ):
        assert environment.compile(source).holds(activation) is held
    assert not isinstance(environment.compile("request.mcp.arguments.to == 1").holds(activation), bool)


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
