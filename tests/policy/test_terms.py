"""Expressions in their places: variables in any order, faults where they were written, late names in time."""

from __future__ import annotations

from authz.cel import BOOL, STRING, VARIABLES, Environment
from authz.policy.source import Source, Text
from authz.policy.terms import Terms

ENVIRONMENT = Environment(VARIABLES)


def written(text: str, *, line: int = 1) -> Text:
    """Return a plain scalar that stands in a line of its own."""
    source = Source("p.yaml", "\n" * (line - 1) + text)
    found = Text(text)
    found.source, found.start, found.end = source, line - 1, line - 1 + len(text)
    return found


def defined(**variables: str) -> Terms:
    """Define variables, each written in a line of its own."""
    terms = Terms(ENVIRONMENT)
    terms.define(
        {written(name): written(text, line=number) for number, (name, text) in enumerate(variables.items(), 1)}
    )
    return terms


def test_variables_are_typed_by_what_they_are() -> None:
    """A variable has the type of its expression, so that a misuse of it is a fault."""
    terms = defined(tenant='request.headers["x"]', same="variables.tenant == request.host")
    assert terms.faults == []
    assert [terms.variables[f"variables.{name}"].expression.type for name in ("tenant", "same")] == [STRING, BOOL]
    terms.compile(written("variables.same == 'x'"), "rule")
    assert len(terms.faults) == 1


def test_variables_can_read_later_ones() -> None:
    """The order in which variables are written says nothing; what needs another is bound behind it."""
    terms = defined(c="variables.b", b="variables.a && request.json == 1", a="true")
    assert terms.faults == []
    term = terms.compile(written("variables.c"), "rule")
    assert sorted(term.late[:2]) == ["request.json", "variables.a"]
    assert term.late[2:] == ("variables.b", "variables.c")


def test_a_cycle_is_a_fault_of_those_in_it() -> None:
    """Each variable that needs itself is told how; one that merely reads such a variable is not."""
    terms = defined(
        a="variables.b", b="variables.c", c="variables.a", d="variables.a", own="variables.own", fine="true"
    )
    messages = {fault.line: fault.message for fault in terms.faults}
    assert messages == {
        1: 'variable "a": reads itself: a -> b -> c -> a',
        2: 'variable "b": reads itself: b -> c -> a -> b',
        3: 'variable "c": reads itself: c -> a -> b -> c',
        5: 'variable "own": reads itself: own -> own',
    }


def test_a_variable_at_fault_is_told_once() -> None:
    """What reads a variable that cannot be compiled is not at fault for it."""
    terms = defined(a="request.pat == 'x'", b="variables.a && true")
    terms.compile(written("variables.b"), "rule", BOOL)
    assert [(fault.line, fault.column, fault.message) for fault in terms.faults] == [
        (1, 1, 'variable "a": undeclared variable "request.pat"')
    ]
    assert "request.path" in terms.faults[0].hint


def test_an_unknown_variable_is_undeclared() -> None:
    """A misspelled variable is a fault with the nearest name."""
    terms = defined(own_tenant="true")
    terms.compile(written("variables.own_tennant"), "rule")
    assert "variables.own_tenant" in terms.faults[0].hint


def test_what_is_read_early_is_known_with_its_keys() -> None:
    """Names come with the keys that are read of them, `None` where all of a map may be; late names are left out."""
    terms = defined(role='request.headers["x-role"]')
    terms.compile(written('"x-tenant" in request.headers && variables.role == request.host && request.json.a'), "rule")
    terms.compile(written("request.query.size() == 1"), "rule")
    assert terms.early == {
        "request.headers": frozenset({"x-role", "x-tenant"}),
        "request.host": None,
        "request.query": None,
    }


def test_now_is_the_time_of_the_request() -> None:
    """`now()` needs the request's time to be bound."""
    terms = Terms(ENVIRONMENT)
    terms.compile(written('now() > timestamp("2020-01-01T00:00:00Z")'), "rule")
    assert (terms.faults, set(terms.early)) == ([], {"request.time"})
