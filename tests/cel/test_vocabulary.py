"""The variables an expression can read."""

from __future__ import annotations

import pytest

from authz._pb.authz.v1.vocabulary_pb2 import Vocabulary
from authz.cel import BOOL, DYN, INT, STRING, TIMESTAMP, VARIABLES, Environment, list_of, map_of, message
from authz.cel.vocabulary import is_map, type_of, variables_of


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("request.method", STRING),
        ("request.port", INT),
        ("request.segments", list_of(STRING)),
        ("request.query", map_of(STRING, list_of(STRING))),
        ("request.query_one", map_of(STRING, STRING)),
        ("request.headers_all", map_of(STRING, list_of(STRING))),
        ("request.json", DYN),
        ("request.time", TIMESTAMP),
        ("request.mcp", message("authz.v1.Mcp")),
        ("identity.authenticated", BOOL),
        ("identity.claims", map_of(STRING, DYN)),
        ("identity.expires", TIMESTAMP),
        ("client.ip", STRING),
        ("metadata", map_of(STRING, map_of(STRING, DYN))),
        ("attributes", message("envoy.service.auth.v3.AttributeContext")),
    ],
)
def test_a_variable_has_the_type_of_its_field(name: str, type_: object) -> None:
    """The descriptors say what can be read and of which type."""
    assert VARIABLES[name] == type_


def test_namespaces_are_no_variables() -> None:
    """A nested message is a prefix; every variable has one dot or none."""
    assert not {"request", "source", "client", "destination", "route", "identity"} & set(VARIABLES)
    assert all(name.count(".") <= 1 for name in VARIABLES)


def test_the_rule_is_applied_to_every_field() -> None:
    """Each field of the vocabulary is one variable, in its order."""
    fields = [(name, type_of(field)) for field, name in variables_of(Vocabulary.DESCRIPTOR)]
    assert fields == list(VARIABLES.items())
    assert [name for field, name in variables_of(Vocabulary.DESCRIPTOR) if is_map(field)][-1] == "metadata"


def test_every_variable_can_be_read(environment: Environment) -> None:
    """Each name compiles, with the type it is declared with."""
    for name, type_ in VARIABLES.items():
        expression = environment.compile(name)
        assert expression.variables == {name}
        assert type_.accepts(expression.type)
