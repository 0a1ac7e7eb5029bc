"""Tests of what is found behind the first fault of a document (row L5)."""

from __future__ import annotations

import pytest

from authz.content import SchemaValidators
from authz.errors import PolicyFaults
from authz.policy import Compiler
from authz.policy.reading import read
from authz.policy.source import Text
from authz.policy.yaml import compose
from tests.policy.test_reading import FULL, known_keys

HEAD = "apiVersion: authz/v1\nkind: {}\nmetadata: {{name: p}}\nspec:\n"
POLICY = HEAD.format("Policy") + '  match: [{paths: ["/**"]}]\n'
WRONG = "  rules: [{name: a, allow: wrong}]\n"
UNDECLARED = 'rule "a": undeclared variable "wrong"'


def told(text: str) -> list[str]:
    """Return what is wrong with a file, each with the line it is in."""
    with pytest.raises(PolicyFaults) as caught:
        Compiler(validators=SchemaValidators()).compile({"p.yaml": text.encode()})
    return [f"{fault.line}: {fault.message}" for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        (POLICY + WRONG + "  descripton: x\n", '7: unknown key "descripton"'),
        (POLICY + WRONG + "  rules: []\n", '7: "rules" is already given in line 6'),
        (POLICY + WRONG + "  mode: Shadow\n", '7: expected enforce, shadow or off, not "Shadow"'),
        (POLICY + WRONG + "  validate: [{name: v}]\n", "7: a validation says"),
        (POLICY + WRONG + "  limits: [{rate: 1/minute}]\n", '7: "name" is missing'),
        (POLICY + WRONG + "  limits: {}\n", "7: expected a list, not a mapping"),
        (POLICY + WRONG + "  identity: {providers: [1], required: true}\n", "7: expected a text, not a number"),
        (POLICY + WRONG[:-2] + ", {nam: b, allow: 'true'}]\n", '6: unknown key "nam"'),
        (POLICY + WRONG[:-3] + ", message: m}]\n", '6: "message" has no meaning in a rule that says allow'),
        (POLICY + WRONG[:-3] + ", request_headers: {set: {X-A: a}}}]\n", "6: header names are lower case"),
        (HEAD.format("Policy") + "  match: [{hosts: [A.example]}]\n" + WRONG, "5: hosts are matched in lower case"),
        (HEAD.format("Policy") + WRONG, '4: "match" is missing from "spec"'),
        (HEAD.format("Guardrail") + "  match: []\n" + WRONG.replace("allow", "deny"), "5: the list is empty"),
        (POLICY.replace("name: p", "name: p, team: t") + WRONG, '3: unknown key "team"'),
        (POLICY + WRONG + "status: {}\n", '7: unknown key "status"'),
        (POLICY + WRONG + "---\n" + POLICY + WRONG, '10: Policy "p" is already in p.yaml:3'),
    ],
)
def test_what_is_behind_a_fault_is_told_with_it(text: str, first: str) -> None:
    """L5: a document with a fault of its shape shows those of its expressions as well: all at once."""
    shown = told(text)

    assert any(each.startswith(first) for each in shown), shown
    assert any(UNDECLARED in each for each in shown), shown


def test_the_expressions_of_a_limit_without_a_rate_are_looked_at() -> None:
    """L5: a limit whose rate is none still has a key."""
    limit = "  limits: [{name: l, rate: 3/min, key: client.adress}]\n"

    assert [each.partition(" (")[0] for each in told(POLICY + limit)] == [
        '6: "3/min" is not a rate',
        '6: limit "l": undeclared variable "client.adress"',
    ]


@pytest.mark.parametrize(
    "text",
    [
        POLICY + "  variables: {v: [1]}\n  rules: [{name: a, allow: variables.v.w == 1}]\n",
        POLICY + "  variables: {v: ''}\n  rules: [{name: a, allow: variables.v.w == 1}]\n",
        POLICY + "  variables: []\n  rules: [{name: a, allow: variables.v.w == 1}]\n",
        POLICY + "  descriptors: 1\n  rules: [{name: a, allow: request.grpc_message.id == 1}]\n",
        HEAD.format("Policy")
        + "  match: [{paths: [a]}]\n"
        + "  validate: [{name: v, params: {properties: {id: {type: integer}}}}]\n",
        HEAD.format("Data").replace("p}", "d}")
        + "  map: {a: 1}\n  x: 1\n---\n"
        + POLICY
        + "  rules: [{name: a, allow: data.d.a == 1}]\n",
        HEAD.format("IdentityProvider")
        + "  jwt: []\n---\n"
        + POLICY
        + "  identity: {providers: [p]}\n  rules: [{name: a, allow: 'true'}]\n",
    ],
)
def test_who_relies_on_what_is_at_fault_is_not_blamed(text: str) -> None:
    """L5: one fault is one fault: nothing that reads, captures or names what is at fault is told of as well."""
    assert len(told(text)) == 1


KEYS = [
    pytest.param(key, id=f"{number}-{path}")
    for number, document in enumerate(compose("full.yaml", FULL).documents)
    for path, key in known_keys(document)
    if path.startswith("spec.")
]


@pytest.mark.parametrize("key", KEYS)
def test_a_misspelled_key_is_no_fault_of_anything_else(key: Text) -> None:
    """L5: whichever key is misspelled, nothing is told of expressions and other documents that is not so without it."""
    text = FULL.decode()
    wrong = f"{text[: key.start]}x{key}x{text[key.end :]}"
    shape = {f"{fault.line}: {fault.message}" for fault in read("full.yaml", wrong.encode()).faults}

    assert shape
    assert set(told(wrong)) - shape <= set(told(text))


def test_a_document_at_fault_is_no_data() -> None:
    """A file that documents name as data is none where it holds a document, be it at fault."""
    files = {
        "p.yaml": POLICY + "  rules: [{name: a, allow: '\"x\" in data.d'}]\n---\n"
        "apiVersion: authz/v1\nkind: Data\nmetadata: {name: d}\nspec: {values: {file: d.yaml}}\n",
        "d.yaml": "apiVersion: authz/v1\nkind: Data\nmetadata: {name: e}\nspec: {x: 1}\n",
    }
    with pytest.raises(PolicyFaults) as caught:
        Compiler(validators=SchemaValidators()).compile({name: text.encode() for name, text in files.items()})

    assert any("it cannot be both" in str(fault) for fault in caught.value.faults)


def test_a_document_with_very_many_faults_is_looked_at_once() -> None:
    """What nobody will read is not worth the time: a document of a thousand faults is not looked at again."""
    rules = "".join(f"    - {{name: r{number}, x: 1, allow: wrong}}\n" for number in range(1000))

    assert not any("undeclared" in each for each in told(POLICY + "  rules:\n" + rules))
