"""Environments and expressions, on every engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz._pb.authz.v1.vocabulary_pb2 import Mcp
from authz._pb.envoy.service.auth.v3.attribute_context_pb2 import AttributeContext
from authz.cel import BOOL, DYN, STRING, CompileError, EngineName, Environment, EvaluationError

if TYPE_CHECKING:
    from collections.abc import Mapping

BOTH = [Environment({"d": DYN, "e": DYN}, engine=engine) for engine in EngineName if engine is not EngineName.AUTO]
RULE = "request.method == 'GET' && 'orders:read' in identity.scopes && request.headers['x-tenant'] == d.tenant"
REQUEST: Mapping[str, object] = {
    "request.method": "GET",
    "identity.scopes": ("orders:read", "orders:write"),
    "request.headers": {"x-tenant": "acme"},
    "d": {"tenant": "acme"},
}


def test_a_rule_holds_or_not_or_has_no_value(environment: Environment) -> None:
    """Three answers, and none is another one."""
    rule = environment.compile(RULE, expect=BOOL)
    assert rule.type == BOOL
    assert rule.source == RULE
    assert rule.holds(environment.activation(REQUEST)) is True
    assert rule.holds(environment.activation({**REQUEST, "request.method": "PUT"})) is False
    assert isinstance(rule.holds(environment.activation({**REQUEST, "request.headers": {}})), EvaluationError)
    assert isinstance(rule.holds(environment.activation({})), EvaluationError)


def test_a_name_left_out_is_an_error_only_where_it_is_read(environment: Environment) -> None:
    """`||` is settled by the side that is true."""
    rule = environment.compile("request.path == '/' || request.method == 'GET'")
    assert rule.holds(environment.activation({"request.method": "GET"})) is True
    held = rule.holds(environment.activation({"request.method": "PUT"}))
    assert held == EvaluationError("request.path has no value")


def test_an_expression_can_be_evaluated_in_an_extended_activation(environment: Environment) -> None:
    """What was compiled in an environment runs in the activations of its extensions, and the other way round."""
    wider = environment.extended({"variables.x": STRING})
    narrow, wide = environment.compile("request.method == 'GET'"), wider.compile("variables.x == 'a'")
    activation = wider.activation({"request.method": "GET", "variables.x": "a"})
    assert narrow.holds(activation) is True
    assert wide.holds(activation) is True
    assert narrow.holds(environment.activation({"request.method": "GET"})) is True


def test_extending_by_the_same_is_the_same(environment: Environment) -> None:
    """Environments for the same variables are made once; the one that is extended stays as it was."""
    one = environment.extended({"variables.a": STRING, "variables.b": DYN})
    assert environment.extended({"variables.b": DYN, "variables.a": STRING}) is one
    assert environment.extended({"variables.a": DYN}) is not one
    with pytest.raises(CompileError):
        environment.compile("variables.a == 'x'")


def test_a_variable_of_any_type_can_be_bound_as_dyn(environment: Environment) -> None:
    """What one expression gives can be a variable of the next, whatever type that is declared with."""
    source = {"n": "1u", "when": "timestamp('2026-01-01T00:00:00Z')", "span": "duration('90s')", "raw": "b'a'"}
    made = {
        f"variables.{name}": environment.compile(each).value(environment.activation({}))
        for name, each in source.items()
    }
    wider = environment.extended(dict.fromkeys(made, DYN))
    for rule in (
        "variables.n == 1",
        "variables.when < timestamp('2026-01-02T00:00:00Z')",
        "variables.span > duration('1m')",
        "variables.raw == b'a'",
    ):
        assert wider.compile(rule).holds(wider.activation(made)) is True


def test_messages_are_read_by_their_fields(environment: Environment) -> None:
    """Envoy's own attributes, and ours, are typed messages: a field that is not set has its default."""
    http = AttributeContext.HttpRequest(path="/v1", headers={"a": "b"}, size=5)
    context = AttributeContext(request=AttributeContext.Request(http=http))
    context.request.time.seconds = 60
    activation = environment.activation({"attributes": context, "request.mcp": Mcp(method="tools/call")})
    for source, value in {
        "attributes.request.http.path == '/v1' && attributes.request.http.size == 5": True,
        "attributes.request.http.headers['a']": "b",
        "attributes.request.http.headers.b": None,
        "has(attributes.request.http.path)": True,
        "has(attributes.request.http.scheme)": False,
        "has(attributes.source.address)": False,
        "attributes.request.http.scheme": "",
        "attributes.request.time == timestamp(60)": True,
        "attributes.context_extensions.size()": 0,
        "request.mcp.method + request.mcp.tool": "tools/call",
        "attributes.request.http.raw_body": b"",
    }.items():
        found = environment.compile(source).value(activation)
        assert found == value or (value is None and isinstance(found, EvaluationError))


def test_metadata_is_read_from_envoys_structs(environment: Environment) -> None:
    """A map of protobuf structs is a map of maps, numbers in it doubles."""
    context = AttributeContext()
    context.metadata_context.filter_metadata["jwt"].update({"payload": {"sub": "ann", "level": 2, "ok": True}})
    activation = environment.activation({"metadata": dict(context.metadata_context.filter_metadata)})
    for source in (
        "metadata.jwt.payload.sub == 'ann'",
        "metadata['jwt'].payload.level >= 2",
        "metadata.jwt.payload.ok",
        "!has(metadata.other)",
        "!has(metadata.jwt.other)",
    ):
        assert environment.compile(source).holds(activation) is True


@pytest.mark.parametrize(
    ("given_", "source"),
    [
        ({"d": object()}, "d == 1"),
        ({"d": {"a": object()}}, "d.a == 1"),
        ({"d": {1, 2}}, "1 in d"),
        ({"s": 5}, "s == 'a'"),
        ({"s": None}, "s == 'a'"),
        ({"l": [1]}, "'a' in l"),
        ({"i": "1"}, "i == 1"),
        ({"m": []}, "has(m.a)"),
        ({"t": 5}, "t > timestamp(0)"),
    ],
)
def test_a_value_of_another_type_is_an_error(environment: Environment, given_: dict[str, object], source: str) -> None:
    """What does not fit the declaration has no value (C14, C17)."""
    assert isinstance(environment.compile(source).holds(environment.activation(given_)), EvaluationError)


@pytest.mark.parametrize(
    ("given_", "source"),
    [
        ({"m": {"a": "b"}, "s": "hunter2"}, "m[s] == 'a'"),
        ({"d": {"password": ("hunter2",)}}, "d.password == 'a'"),
        ({"d": {"password": {"hunter2"}}}, "d.password == 'a'"),
        ({"d": "hunter2"}, "int(d) > 1"),
        ({"s": "hunter2"}, "timestamp(s) > timestamp(0)"),
        ({"s": "hunter2"}, "s.inCidr('10.0.0.0/8')"),
        ({"s": "hunter2%"}, "url.decode(s) == 'a'"),
        ({"l": ["hunter2", 1]}, "l.join() == 'a'"),
        ({"d": {"hunter2": 2**70}}, "d.hunter2 == 1"),
        ({"d": ["hunter2"]}, "d.startsWith('a')"),
        ({"d": {"a": {"hunter2": object()}}}, "d.a.hunter2 == 1"),
    ],
)
def test_an_error_tells_no_value(environment: Environment, given_: dict[str, Any], source: str) -> None:
    """The message is one line, in words, without what the request held or how Python writes it."""
    held = environment.compile(source).holds(environment.activation(given_))
    assert isinstance(held, EvaluationError)
    assert "hunter2" not in held.message.replace("d.hunter2", "")
    assert "\n" not in held.message
    assert "<" not in held.message
    assert "object" not in held.message


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(),
        st.text(max_size=5),
        st.binary(max_size=3),
        st.just(object()),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.text(max_size=2), st.integers(), st.booleans(), st.none()), inner, max_size=3),
        st.tuples(inner),
    ),
    max_leaves=5,
)
SOURCES = [
    "d == e", "d < e", "d + e == e", "d in e", "d[e] == 1", "has(d.a)", "d.a.b == e", "d.exists(x, x == e)", "!d",
    "d && e", "d ? e : d", "size(d) > 1", "d.startsWith(e)", "string(d) == e", "int(d) == 1", "hasAny(d, e)", "-d == e",
    "d[?e].orValue(d) == e", "type(d) == type(e)", "d.join() == e", "d.all(x, e.exists(y, x == y))", "[d, e]",
    "{'a': d}",
]  # fmt: skip


@given(VALUES, VALUES, st.sampled_from(SOURCES))
def test_nothing_but_an_answer_comes_out(d: object, e: object, source: str) -> None:
    """Whatever is bound, a condition is a bool or an error, and no exception escapes (C14)."""
    for environment in BOTH:
        expression = environment.compile(source)
        activation = environment.activation({"d": d, "e": e})
        assert type(expression.holds(activation)) in {bool, EvaluationError}
        expression.value(activation)


@given(VALUES, VALUES, st.sampled_from(SOURCES))
def test_the_engines_never_hold_against_each_other(d: object, e: object, source: str) -> None:
    """One engine's true is never the other's false, but for integers that a double cannot hold."""
    answers = [environment.compile(source).holds(environment.activation({"d": d, "e": e})) for environment in BOTH]
    bools = {answer for answer in answers if isinstance(answer, bool)}
    assert len(bools) < 2 or any(_beyond_doubles(value) for value in (d, e))


def _beyond_doubles(value: object) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_beyond_doubles, value))
    if isinstance(value, dict):
        return any(map(_beyond_doubles, (*value, *value.values())))
    return isinstance(value, int | float) and abs(value) >= 2**53
