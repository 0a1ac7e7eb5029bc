"""What was made of a file is taken again as long as all that went into it is there."""

from __future__ import annotations

import pytest

from authz.cel import INT, STRING
from authz.policy import Compiler
from authz.policy.parts import Addition, Around, FileDocuments, Made, Part, Ties, without
from authz.policy.reading import read

TIES = Ties(types={"data.d": STRING}, files={"a.json": b"{}"}, providers=frozenset({"staff"}))
AROUND = Around(
    types={"data.d": STRING, "data.e": INT}, files={"a.json": b"{}", "b.json": b""}, providers=frozenset({"staff", "x"})
)
DATA = "apiVersion: authz/v1\nkind: Data\nmetadata: {{name: {}}}\nspec: {{values: [a]}}\n"
POLICY = """\
apiVersion: authz/v1
kind: Policy
metadata: {{name: {}}}
spec:
  match: [{{paths: ["/**"]}}]
  rules: [{{name: r, allow: request.method == "GET"}}]
"""


def documents(*names: str) -> FileDocuments:
    """Return the documents of a file of data."""
    return FileDocuments.of(read("a.yaml", "---\n".join(map(DATA.format, names)).encode()), b"")


def test_what_a_file_was_made_of_holds_while_all_of_it_is_there() -> None:
    """Other types, files and providers may come and go."""
    assert TIES.hold(AROUND)
    assert Ties().hold(Around())


@pytest.mark.parametrize(
    "around",
    [
        Around(types={"data.d": INT}, files=AROUND.files, providers=AROUND.providers),
        Around(types={}, files=AROUND.files, providers=AROUND.providers),
        Around(types=AROUND.types, files={"a.json": b"[]"}, providers=AROUND.providers),
        Around(types=AROUND.types, files={}, providers=AROUND.providers),
        Around(types=AROUND.types, files=AROUND.files, providers=frozenset({"x"})),
    ],
)
def test_what_a_file_was_made_of_does_not_hold_without_a_part_of_it(around: Around) -> None:
    """A type that changed, a file that changed or is gone, a provider that is gone: it would be made otherwise."""
    assert not TIES.hold(around)


def test_a_part_is_tied_to_what_any_of_its_documents_is() -> None:
    """So one look at a part says what a look at every document would; it is whole where none is at fault."""
    file = documents("a", "b", "c")
    part = Part.of(
        file.data,
        [
            Made(document=file.data[0], result=1, ties=Ties(types={"data.d": STRING}, providers=frozenset({"staff"}))),
            Made(document=file.data[1], result=2, ties=Ties(files={"a.json": b"{}"})),
            None,
        ],
    )
    assert (part.results, part.ties, part.whole) == ((1, 2), TIES, False)
    assert Part.of(file.data[:2], part.made[:2]).whole


def test_the_first_of_a_name_is_the_one_that_is_named() -> None:
    """Whoever finds fewer names than documents knows that one is taken twice."""
    file = documents("a", "b", "a")
    assert list(file.names.values()) == list(file.reading.documents[:2])


def additions(compiler: Compiler, *texts: str) -> dict[str, Addition]:
    """Return what a file with these policies adds."""
    compiler.compile({"a.yaml": "---\n".join(texts).encode(), "b.yaml": DATA.format("d").encode()})
    return compiler._additions


def test_what_is_off_is_not_added(compiler: Compiler) -> None:
    """It governs nothing; that a variable of it is known by name, and what it reads, counts all the same."""
    off = POLICY.format("a").replace("spec:", "spec:\n  mode: 'off'\n  variables: {v: request.path}")
    (added,) = additions(compiler, off, POLICY.format("b")).values()
    assert [entry.document.name for entry in added.entries] == ["b"]
    assert added.variables == {"variables.v"}
    assert {each.variable for each in added.reads} >= {"request.path", "request.method"}


def test_of_a_file_that_changed_only_what_changed_comes_and_goes(compiler: Compiler) -> None:
    """Its other documents are the very same entries; a file that is gone takes all of its own along."""
    before = additions(compiler, *map(POLICY.format, "abc"))
    after = additions(compiler, POLICY.format("a"), POLICY.format("b").replace("GET", "PUT"), POLICY.format("d"))
    assert [entry.document.name for entry in without(before, after)] == ["b", "c"]
    assert [entry.document.name for entry in without(after, before)] == ["b", "d"]
    assert [entry.document.name for entry in without(after, {})] == ["a", "b", "d"]
    assert list(without(after, after)) == []
