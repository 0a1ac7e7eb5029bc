"""What an expression reads, from its checked tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authz.cel import Attribute

if TYPE_CHECKING:
    from authz.cel import Environment


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        ("request.method == 'GET'", ["request.method"]),
        ("request.headers['x-tenant'] == 'a'", ['request.headers["x-tenant"]']),
        ("identity.claims.realm.roles[0] == 'a'", ['identity.claims["realm"]["roles"][0]']),
        ("has(d.a.b)", ['d["a"]["b"]']),
        ("request.headers[?'accept'].orValue('') == ''", ['request.headers["accept"]']),
        ("d.?a.?b.orValue(1) == 1", ['d["a"]["b"]']),
        ("'x' in request.headers", ['request.headers["x"]']),
        ("'x' in identity.roles", ["identity.roles"]),
        ("request.headers[s] == 'a'", ["request.headers", "s"]),
        ("d[s].after == 'a'", ["d", "s"]),
        ("d.before[s].after == 'a'", ['d["before"]', "s"]),
        ("d[d.key] == 1", ["d", 'd["key"]']),
        ("identity.roles.exists(r, r == s)", ["identity.roles", "s"]),
        ("[s].all(s, s == 'a')", ["s"]),
        ("[1].all(d, d == 1)", []),
        ("cel.bind(x, d.a, x.b == 1)", ['d["a"]']),
        ("now() > timestamp(0)", ["request.time"]),
        ("[1].all(now, now == 1)", []),
        ("type(d) == int", ["d"]),
        ("attributes.request.http.path == '/'", ['attributes["request"]["http"]["path"]']),
        ("s == 'a' || s == 'b'", ["s"]),
        ("true ? s == 'a' : i == 1", ["s", "i"]),
        ("d[1u] == d[true] || d[1.5] == 1", ["d[1]", "d[true]", "d[1.5]"]),
        ("1 == 1", []),
    ],
)
def test_an_expression_reads_what_its_tree_says(environment: Environment, source: str, reads: list[str]) -> None:
    """Constant keys are part of the attribute, computed ones are read themselves, names of loops are nobody's."""
    expression = environment.compile(source)
    assert [str(attribute) for attribute in expression.reads] == reads
    assert expression.variables == {attribute.variable for attribute in expression.reads}


def test_an_attribute_is_a_value() -> None:
    """Attributes compare by what they name."""
    assert Attribute(variable="a", keys=("b", 1)) == Attribute(variable="a", keys=("b", 1))
    assert str(Attribute(variable="a", keys=("é", 1, True))) == 'a["é"][1][true]'
