"""Tests of reading policy files (rows L3, L5, L6)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.policy.codes import Code
from authz.policy.documents import Data, Guardrail, Policy
from authz.policy.reading import is_policy_file, read
from authz.policy.source import Mapping, Sequence, Text
from authz.policy.yaml import MAX_FAULTS, compose

EXAMPLES = Path(__file__).parent / "examples"
FULL = (EXAMPLES / "full.yaml").read_bytes()

FREE = {"labels", "annotations", "variables", "set", "append", "map", "schema", "values"}
"""Keys whose own keys the author makes up."""


def known_keys(node: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Text]]:
    """Yield every key of a document that the language knows, with its path."""
    if isinstance(node, Sequence):
        for item in node:
            yield from known_keys(item, path)
    if isinstance(node, Mapping):
        for key in node.written():
            yield ".".join((*path, key)), key
            if key not in FREE and (*path, key) != ("spec", "rules", "metadata"):
                yield from known_keys(node[key], (*path, str(key)))


KEYS = [
    pytest.param(key, id=f"{number}-{path}")
    for number, document in enumerate(compose("full.yaml", FULL).documents)
    for path, key in known_keys(document)
]


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_the_examples_of_the_language_are_read(example: Path) -> None:
    """Every example of the policy language is read without a fault."""
    reading = read(example.name, example.read_bytes())

    assert reading.faults == ()
    assert reading.documents


@pytest.mark.parametrize("key", KEYS)
def test_one_wrong_letter_in_any_key_is_a_fault_that_names_it(key: Text) -> None:
    """L5: every key, with any one letter changed, is a fault at its line and column that names the right key."""
    text = FULL.decode()
    place = key.source.place(key.start)
    for number, letter in enumerate(key):
        wrong = key[:number] + ("q" if letter != "q" else "z") + key[number + 1 :]
        content = text[: key.start] + wrong + text[key.end :]

        faults = [fault for fault in read("full.yaml", content.encode()).faults if (fault.line, fault.column) == place]

        assert len(faults) == 1, content
        assert f'"{key}"' in f"{faults[0].message} {faults[0].hint}"


@pytest.mark.parametrize("key", KEYS)
def test_a_key_in_the_wrong_case_is_a_fault_that_names_it(key: Text) -> None:
    """L5: a key in upper case is unknown, and the fault names the right one."""
    text = FULL.decode()
    content = text[: key.start] + key.upper() + text[key.end :]

    (fault, *_) = [
        fault for fault in read("full.yaml", content.encode()).faults if fault.line == key.source.place(key.start)[0]
    ]

    assert f'"{key}"' in f"{fault.message} {fault.hint}"


@pytest.mark.parametrize("key", KEYS)
def test_a_key_given_twice_is_a_fault(key: Text) -> None:
    """L6: a second key of one name is a fault, wherever it stands."""
    text = FULL.decode()
    _, column = key.source.place(key.start)
    inline = text[: key.start].rstrip(" ")[-1:] in {"{", ","}
    twice = f"{key}: 1, {key}" if inline else f"{key}: 1\n{' ' * (column - 1)}{key}"
    content = text[: key.start] + twice + text[key.end :]

    assert Code.DUPLICATE_KEY in {fault.code for fault in read("full.yaml", content.encode()).faults}


def test_a_list_that_nothing_names_says_what_it_may_be() -> None:
    """A file of keys looks like this when the document that names it has a fault or is gone."""
    (fault,) = read("keys.yaml", b"- {id: acme}\n").faults

    assert (fault.line, fault.column, fault.message) == (1, 1, "expected a document, not a list")
    assert fault.hint == "a list is read where a document names its file, and none that can be read does"


def test_documents_are_of_their_kinds_and_know_their_lines() -> None:
    """Several documents of a file are read with the lines they have in the file."""
    reading = read("full.yaml", FULL)

    assert [type(document) for document in reading.documents[:3]] == [Policy, Guardrail, Data]
    assert [document.name for document in reading.documents] == [
        "full",
        "full",
        "risky",
        "risky_file",
        "tenants",
        "plans",
    ]
    for document in reading.documents:
        name = document.metadata.name
        line, column = name.source.place(name.start)
        assert FULL.decode().split("\n")[line - 1][column - 1 :] == name


def test_values_are_what_the_author_wrote() -> None:
    """L6: `no`, times and dates are texts, numbers are numbers, and `"1.10"` keeps its zero."""
    tenants = read("full.yaml", FULL).documents[4]
    assert isinstance(tenants, Data)

    assert tenants.spec.values == [
        "acme",
        "no",
        "22:22",
        "2026-11-23",
        7,
        -1500.0,
        31,
        True,
        None,
        "1.10",
        {"a": ["b"]},
    ]


HEAD = "apiVersion: authz/v1\nkind: Guardrail\nmetadata: {name: a}\nspec: {}\n"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", [(0, 0, Code.EMPTY)]),
        ("# nothing\n---\n", [(0, 0, Code.EMPTY)]),
        ("- a\n", [(1, 1, Code.TYPE)]),
        ("a", [(1, 1, Code.TYPE)]),
        ("{}", [(1, 1, Code.API_VERSION), (1, 1, Code.KIND)]),
        (HEAD.replace("authz/v1", "authz/v2"), [(1, 13, Code.API_VERSION)]),
        (HEAD.replace("authz/v1", "1"), [(1, 13, Code.API_VERSION)]),
        (HEAD.replace("authz/v1", "[a]"), [(1, 1, Code.API_VERSION)]),
        (HEAD.replace("apiVersion", "apiversion"), [(1, 1, Code.API_VERSION)]),
        (HEAD.replace("Guardrail", "Gardrail"), [(2, 7, Code.KIND)]),
        (HEAD.replace("Guardrail", "PolicyTest"), [(2, 7, Code.UNAVAILABLE)]),
        (HEAD.replace("Guardrail", ""), [(2, 6, Code.KIND)]),
        (HEAD.replace("spec: {}\n", ""), [(1, 1, Code.MISSING_KEY)]),
        (HEAD.replace("spec: {}", "spec:"), [(4, 1, Code.TYPE)]),
        (HEAD.replace("{name: a}", "{}"), [(3, 1, Code.MISSING_KEY)]),
        (HEAD + "---\n" + HEAD.replace("name: a", "nam: a"), [(8, 12, Code.UNKNOWN_KEY)]),
    ],
)
def test_what_is_no_document(content: str, expected: list[tuple[int, int, str]]) -> None:
    """Empty files, other versions, unknown kinds and missing parts are faults with their places."""
    assert [(fault.line, fault.column, fault.code) for fault in read("p.yaml", content.encode()).faults] == expected


def test_the_nearest_kind_and_version_are_named() -> None:
    """A misspelled kind or version comes with the right one."""
    (version, kind) = read("p.yaml", b"apiVersion: authz/1\nkind: policy\n").faults

    assert version.message == '"authz/1" is no apiVersion known here'
    assert version.hint == 'did you mean "authz/v1"?'
    assert kind.hint == 'did you mean "Policy"?'


def test_a_document_with_a_fault_hides_no_other() -> None:
    """One bad document of a file is left out; the good one is read, and a file of only good ones has no faults."""
    reading = read("p.yaml", (HEAD.replace("{}", "{a: b}") + "---\n" + HEAD.replace("name: a", "name: b")).encode())

    assert [document.name for document in reading.documents] == ["b"]
    assert [fault.code for fault in reading.faults] == [Code.UNKNOWN_KEY]


def test_a_document_with_a_fault_of_yaml_is_not_served() -> None:
    """L6: a document whose second `rules` was dropped must not be served with the first."""
    reading = read("p.yaml", HEAD.replace("spec: {}", "spec: {rules: [], rules: [{name: a, deny: 'true'}]}").encode())

    assert reading.documents == ()
    assert [fault.code for fault in reading.faults] == [Code.DUPLICATE_KEY]


def test_the_number_of_faults_is_bounded() -> None:
    """A document with ten thousand wrong keys tells the first hundred."""
    keys = "".join(f"  k{number}: 1\n" for number in range(10_000))

    assert len(read("p.yaml", HEAD.replace(" {}", f"\n{keys}").encode()).faults) == MAX_FAULTS


def test_faults_are_sorted_by_place() -> None:
    """Faults come in the order of the file."""
    reading = read("p.yaml", HEAD.replace("{}", "{b: 1, a: 2, rules: [{name: x}], mode: z}").encode())

    assert list(reading.faults) == sorted(reading.faults)
    assert len(reading.faults) == 4


@pytest.mark.parametrize(
    ("path", "served"),
    [
        ("policies/orders.yaml", True),
        ("../policies/orders.yml", True),
        ("orders_test.yaml", False),
        ("orders_test.yml", False),
        ("latest.yaml", True),
        ("..data/orders.yaml", False),
        ("policies/..2026_11_23/orders.yaml", False),
        ("policies/..orders.yaml", False),
        ("order.schema.json", False),
        ("risky.txt", False),
        ("README.md", False),
        ("yaml", False),
    ],
)
def test_which_files_hold_policies(path: str, served: bool) -> None:
    """YAML that is no test and that no ConfigMap hides behind `..` holds policies."""
    assert is_policy_file(path) is served


@given(st.lists(st.sampled_from(FULL.decode().split("\n")), max_size=30))
def test_any_lines_of_policies_are_read_or_are_faults(lines: list[str]) -> None:
    """Law: shuffled lines of a policy are documents or faults, never an exception and never neither."""
    reading = read("p.yaml", "\n".join(lines).encode())

    assert reading.documents or reading.faults
    for fault in reading.faults:
        assert fault.message
        assert fault.code


def test_whoever_reads_can_pause_between_documents() -> None:
    """A file of thousands of documents takes a third of a second: what is served meanwhile must not wait for it."""
    pauses: list[None] = []
    read("p.yaml", b"---\n".join([FULL] * 10), pause=lambda: pauses.append(None))
    one = len(pauses)
    read("p.yaml", b"---\n".join([FULL] * 20), pause=lambda: pauses.append(None))
    assert len(pauses) == one + 2 * one >= 3 * 10
