"""What is exchanged in a tree, and that the answer stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authz._pb.authz.v1.vocabulary_pb2 import Geo
from authz.cel import Constant, EvaluationError, NetworkIndex, StringSet
from authz.cel.names import MAX_LIST
from authz.cel.rewrite import number_name, rewrite
from authz.cel.tree import walk

if TYPE_CHECKING:
    from authz.cel import CelType, Environment

USERS = StringSet(["ann", "bob"])
PLANS = Constant({"acme": {"plan": "gold", "seats": 3}, "none": None})
NETWORKS = NetworkIndex(["10.0.0.0/8"])
DATA = {"data.users": USERS, "data.plans": PLANS, "data.networks": NETWORKS}


def called(environment: Environment, source: str, variables: dict[str, CelType]) -> set[str]:
    """Return the functions an expression calls once it is rewritten."""
    checked = environment._engine.check(source)
    rewrite(checked, walk(checked.expr), variables)
    return {visit.node.call_expr.function for visit in walk(checked.expr) if visit.node.HasField("call_expr")}


@pytest.mark.parametrize(
    ("source", "function"),
    [
        ("s.matches('a')", "@matches"),
        ("matches(s, 'a')", "@matches"),
        ("s.replace('a', 'b')", "@replace"),
        ("l.join(',')", "@join"),
        ("s in data.users", "@in_strings"),
        ("hasAny(l, data.users)", "@any_in_strings"),
        ("data.users.hasAll(l)", "@all_in_strings"),
        ("data.plans.acme.plan == 'gold'", "@entry"),
        ("data.plans[s].plan == 'gold'", "@entry"),
        ("has(data.plans.acme)", "@has_entry"),
        ("s in data.plans", "@has_key"),
        ("data.plans[?s].hasValue()", "@has_entry"),
        ("data.plans.?acme.hasValue()", "@has_entry"),
        ("s.inSet(data.networks)", "@in_networks"),
    ],
)
def test_what_costs_is_exchanged(
    environment: Environment, variables: dict[str, CelType], source: str, function: str
) -> None:
    """Patterns, large data and growing results are asked of this project's own functions."""
    assert function in called(environment, source, variables)


def test_other_calls_are_left_alone(environment: Environment, variables: dict[str, CelType]) -> None:
    """A list or map that is not indexed is the engine's own business."""
    assert called(environment, "s in l && 'a' in m && m['a'] == s && hasAny(l, l)", variables) == {
        "_&&_",
        "@in",
        "_==_",
        "_[_]",
        "hasAny",
    }


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("'ann' in data.users", True),
        ("'zoe' in data.users", False),
        ("d in data.users", False),
        ("dyn([1]) in data.users", False),
        ("data.users.size() == 2 && data.users[0] == 'ann'", True),
        ("data.users.exists(u, u == 'bob')", True),
        ("hasAny(['x', 'bob'], data.users)", True),
        ("hasAny(data.users, ['x'])", False),
        ("hasAll(data.users, ['ann', 'bob'])", True),
        ("hasAll(['ann'], data.users)", False),
        ("data.plans.acme.seats", 3),
        ("data.plans['acme'].plan", "gold"),
        ("data.plans.nobody.plan", EvaluationError("no such key")),
        ("has(data.plans.acme)", True),
        ("has(data.plans.nobody)", False),
        ("'acme' in data.plans", True),
        ("d in data.plans", False),
        ("data.plans[?'nobody'].plan.orValue('none')", "none"),
        ("data.plans[?'acme'].plan.orValue('none')", "gold"),
        ("data.plans.?none.hasValue()", True),
        ("data.plans.size()", 2),
        ("data.plans.all(tenant, tenant != 'x')", True),
        ("data.plans.acme == {'plan': 'gold', 'seats': 3}", True),
        ("s.inSet(data.networks)", True),
        ("s.inSet(i == 1 ? data.networks : data.networks)", True),
        ("[s].exists(a, a.inSet(data.networks))", True),
    ],
)
def test_data_answers_as_if_the_engine_had_it(environment: Environment, source: str, value: object) -> None:
    """Asked by number or taken over whole, data gives the same answers."""
    activation = environment.activation({**DATA, "s": "10.1.2.3", "d": 1, "i": 1})
    found = environment.compile(source).value(activation)
    assert found == value or (isinstance(found, EvaluationError) and isinstance(value, EvaluationError))


def test_data_that_is_not_bound_is_an_error(environment: Environment) -> None:
    """Without data there is no answer, whichever way it is asked for."""
    for source in ("'a' in data.users", "data.plans.a == 1", "s.inSet(data.networks)", "has(data.plans.a)"):
        held = environment.compile(source).holds(environment.activation({"s": "10.1.2.3"}))
        assert isinstance(held, EvaluationError)


def test_the_number_of_a_variable_cannot_be_written() -> None:
    """The hidden name is no identifier."""
    assert not number_name("data.users")[0].isidentifier()


def test_a_list_that_is_made_is_bounded(environment: Environment) -> None:
    """`map` and `filter` are errors beyond the bound, and exact up to it (C12)."""
    expression = environment.compile("d.map(x, x + 1).size()")
    assert expression.value(environment.activation({"d": [0] * MAX_LIST})) == MAX_LIST
    beyond = expression.value(environment.activation({"d": [0] * (MAX_LIST + 1)}))
    assert isinstance(beyond, EvaluationError)
    assert str(MAX_LIST) in beyond.message


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('client.geo.country == "DE"', True),
        ('has(client.geo.country) && client.geo.country in ["DE", "AT"]', True),
        ("has(client.geo.asn)", False),
        ("has(client.geo.asn) && client.geo.asn == 0", False),
        ("client.geo.?asn.orValue(7) == 7", True),
        ("client.geo.asn == 0", "asn has no value"),
        ("client.geo.asn != 64500", "asn has no value"),
        ('client.geo.organization == ""', "organization has no value"),
        ("cel.bind(place, client.geo, place.asn == 0)", "asn has no value"),
        ("[client.geo].exists(place, place.asn == 0)", "asn has no value"),
    ],
)
def test_a_place_that_is_not_known_has_no_value(environment: Environment, source: str, value: object) -> None:
    """What protobuf would read as empty or 0 is an error, on every way to it; whether it is known can be asked."""
    found = environment.compile(source).value(environment.activation({"client.geo": Geo(country="DE")}))
    assert (found.message if isinstance(found, EvaluationError) else found) == value
