"""Texts with holes: what they are read as, what they render to, and what they refuse to carry."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import inf, nan
from typing import Any

import pytest

from authz.cel import STRING, VARIABLES, Environment, EvaluationError
from authz.policy import template
from authz.policy.source import Source, Text
from authz.policy.terms import Term, Terms

VALUES: dict[str, object] = {
    "request.path": "/a b",
    "identity.subject": "alice",
    "identity.roles": ["x", "y"],
    "request.port": 443,
    "identity.authenticated": True,
    "request.time": datetime(2026, 11, 23, 12, tzinfo=UTC),
}
ENVIRONMENT = Environment(VARIABLES)


def written(text: str) -> Text:
    """Return a text as a document would hold it, in double quotes."""
    source = Source("p.yaml", f'key: "{text}"')
    found = Text(text)
    found.source, found.start, found.end = source, 5, len(source.text)
    return found


def evaluate(term: Term, _scope: int) -> object:
    """Return what a term is, from `VALUES`."""
    return term.value(ENVIRONMENT.activation(VALUES))


def rendered(text: str, make: Callable[..., template.Template] = template.text) -> object:
    """Compile and render a text, which must have no faults."""
    terms = Terms(ENVIRONMENT)
    compiled = make(written(text), "rule", terms)
    assert terms.faults == []
    return compiled.render(evaluate, 0)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("", ""),
        ("plain", "plain"),
        ("${identity.subject}", "alice"),
        ("<${identity.subject}:${request.port}>", "<alice:443>"),
        ("$${identity.subject}", "${identity.subject}"),
        ("$$${identity.subject}", "$${identity.subject}"),
        ("$ $$ {} }", "$ $$ {} }"),
        ("${identity.authenticated} ${1.0} ${0.5} ${duration('90s')}", "true 1 0.5 90s"),
        ("${request.time}", "2026-11-23T12:00:00Z"),
        ("${{'a': '}'}['a']}", "}"),
    ],
)
def test_rendering(text: str, result: str) -> None:
    """Literal text stays, holes are filled, `$${` is a literal `${`."""
    assert rendered(text) == result


@pytest.mark.parametrize(
    "value",
    [
        *(f"timestamp('2026-01-01T00:00:00{fraction}Z')" for fraction in ("", ".5", ".123", ".123456", ".000001")),
        *(f"duration('{text}')" for text in ("0s", "90s", "1h", "1.5s", "100ms", "1us", "-1s", "-1.25s", "-1us")),
        *("1.0", "0.1", "-0.0", "1e300", "1.0/3.0", "7u", "true"),
    ],
)
def test_a_value_is_written_as_string_writes_it(value: str) -> None:
    """Whether an author converts it or not, a key, a header or a metadata value is the same text."""
    assert rendered(f"${{{value}}}") == rendered(f"${{string({value})}}")


@pytest.mark.parametrize("value", ["identity.roles", "null", "{'a': 1}", "b'x'"])
def test_a_value_without_one_form_as_text_is_an_error(value: str) -> None:
    """Lists, maps, null, bytes and what has no value leave no text behind, where only the value can tell."""
    assert isinstance(rendered(f"a${{dyn({value})}}"), EvaluationError)
    assert isinstance(rendered("a${identity.claims.x}"), EvaluationError)


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("a${ identity.roles}", "list(string)"),
        ("${request.headers}", "map(string, string)"),
        ("${b'x'}", "bytes"),
        ("${null}b", "null"),
        ("${request.mcp}", "authz.v1.Mcp"),
    ],
)
def test_what_is_never_a_text_is_a_fault(text: str, type_: str) -> None:
    """C3: a text that could never be written is told of when the policy is read, not by every request."""
    terms = Terms(ENVIRONMENT)
    template.text(written(text), "rule", terms)

    (fault,) = terms.faults
    assert fault.message == f"rule: the result is {type_}, and a text is expected"
    assert fault.column == 7 + text.index("${") + 2 + text[text.index("${") + 2 :].startswith(" ")


@pytest.mark.parametrize("character", ["\\r", "\\n", "\\u0000", "\\u007f", "ä", "\\u2028"])
def test_a_header_takes_visible_ascii_only(character: str) -> None:
    """J11: nothing an expression makes can begin a second header or be read in two encodings."""
    assert isinstance(rendered(f"${{'a{character}b'}}", template.header), EvaluationError)
    assert rendered("${url.encode('ä')}", template.header) == "%C3%A4"


def test_a_location_has_no_spaces() -> None:
    """Where a redirect leads is one token."""
    assert isinstance(rendered("https://x/${request.path}", template.location), EvaluationError)
    assert rendered("https://x/${url.encode(request.path)}", template.location) == "https://x/%2Fa%20b"


@pytest.mark.parametrize(
    ("text", "make", "hint"),
    [
        ("/a b", template.location, "write %20"),
        ("https://a.example/ä?x=${request.port}", template.location, "write %C3%A4"),
        ("ü ${request.port}", template.header, "write %C3%BC"),
        ("a;${request.port}", template.cookie, "write %3B"),
    ],
)
def test_a_literal_that_cannot_stand_there_is_a_fault(text: str, make: Callable[..., Any], hint: str) -> None:
    """J11: what every answer would break on is told of when the policy is read: a caller got 403 in place of a 302."""
    terms = Terms(ENVIRONMENT)
    make(written(text), "rule", terms)

    assert [fault.hint for fault in terms.faults] == [hint]


def test_one_whole_expression_keeps_its_type() -> None:
    """Metadata of one `${...}` is a number, a list or a bool; with text around it is text; times are text."""
    values = {
        "${request.port}": 443,
        "${identity.roles}": ["x", "y"],
        "${identity.authenticated}": True,
        "${null}": None,
        "n${request.port}": "n443",
        "${request.time}": "2026-11-23T12:00:00Z",
    }
    for text, value in values.items():
        terms = Terms(ENVIRONMENT)
        assert template.value(written(text), "rule", terms).value(evaluate, 0) == value
        assert terms.faults == []
    for text in ("n${identity.roles}", "${b'x'}"):
        terms = Terms(ENVIRONMENT)
        template.value(written(text), "rule", terms)
        assert len(terms.faults) == 1


def test_what_envoys_metadata_cannot_hold_is_an_error() -> None:
    """Bytes, and numbers that are none, have no form in a Struct, however deep they sit."""
    for value in (b"x", [b"x"], {"a": [b"x"]}, {1: "x"}, nan, [-inf], {"a": inf}):
        assert isinstance(template.as_json(value), EvaluationError)
    assert template.as_json({"a": [timedelta(seconds=1.5)]}) == {"a": ["1.500s"]}


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("ab ${identity.subject", 10, 'rule: "${" is never closed'),
        ("ab ${  }", 10, 'rule: "${" is empty'),
        ("ab ${request.pat}", 12, 'rule: undeclared variable "request.pat"'),
        ("${1}${nope}", 13, 'rule: undeclared variable "nope"'),
    ],
)
def test_faults_have_their_place(text: str, column: int, message: str) -> None:
    """A fault in a hole points into the hole, in the file."""
    terms = Terms(ENVIRONMENT)
    template.text(written(text), "rule", terms)
    assert [(fault.line, fault.column, fault.message) for fault in terms.faults] == [(1, column, message)]


def test_every_hole_at_fault_is_told() -> None:
    """All faults of a text come at once."""
    terms = Terms(ENVIRONMENT)
    template.text(written("${nope} ${neither}"), "rule", terms)
    assert len(terms.faults) == 2


def test_types_are_known_before_a_request_comes() -> None:
    """A hole is an expression like any other, with a type."""
    compiled = template.text(written("${identity.subject}"), "rule", Terms(ENVIRONMENT))
    part = compiled.parts[0]
    assert isinstance(part, Term)
    assert (part.expression.type, part.direct) == (STRING, "identity.subject")


def test_a_text_without_holes_is_a_constant() -> None:
    """Nothing is evaluated for a plain text."""

    def never(_term: Any, _scope: int) -> object:
        raise AssertionError

    compiled = template.text(written("a $${b} c"), "rule", Terms(ENVIRONMENT))
    assert (compiled.constant, compiled.render(never, 0)) == ("a ${b} c", "a ${b} c")
