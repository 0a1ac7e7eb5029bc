"""A file that changed reads as if it had never been read before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.policy.documents import Document
from authz.policy.reading import FileReading, read
from authz.policy.rereading import reread

POLICY = """\
apiVersion: authz/v1
kind: Policy
metadata: {{name: {name}}}
spec:
  match: [{{paths: ["/**"]}}]
  rules:
    - name: readers
      allow: >-
        request.method == "{method}"
"""
PIECES = st.one_of(
    st.builds(
        lambda name, method: POLICY.format(name=name, method=method),
        st.sampled_from("abc"),
        st.sampled_from(["GET", "PUT"]),
    ),
    st.sampled_from(
        [
            "# a comment\n",
            "\n",
            "broken: [\n",
            "kind: Pollicy\n",
            "text: |\n  ---\n",
            'text: "\n---\n"\n',
            "...\n",
            "%YAML 1.2\n",
            "*x\n",
        ]
    ),
)
FILES = st.builds(
    lambda pieces, begin: begin + "---\n".join(pieces),
    st.lists(PIECES, min_size=1, max_size=5),
    st.sampled_from(["", "---\n", "# head\n---\n"]),
)


def said(reading: FileReading) -> tuple[object, ...]:
    """Return what can be seen of a reading: documents as they are and where they stand, and faults."""
    return [(each, place(each)) for each in reading.documents], reading.faults


def place(document: Document) -> tuple[str, int, int]:
    """Return where the name of a document stands."""
    name = document.metadata.name
    return (name.source.file, *name.source.place(name.start))


@given(FILES, FILES)
def test_a_file_reads_the_same_the_second_time(old: str, new: str) -> None:
    """Whatever stood there before, what a file says, where it says it and what is wrong with it is the same."""
    before = read("a.yaml", old.encode())
    assert said(reread(before, old.encode(), new.encode())) == said(read("a.yaml", new.encode()))


@pytest.mark.parametrize("changed", [0, 1, 2])
def test_documents_that_did_not_change_are_the_same_ones(changed: int) -> None:
    """What was compiled of them can be kept; only the one that changed is another."""
    texts = [POLICY.format(name=name, method="GET") for name in "abc"]
    old = "# head\n---\n" + "---\n".join(texts)
    texts[changed] = texts[changed].replace("GET", "PUT")
    new = "# head\n---\n" + "---\n".join(texts)
    before = read("a.yaml", old.encode())
    after = reread(before, old.encode(), new.encode())
    assert [one is other for one, other in zip(before.documents, after.documents, strict=True)] == [
        number != changed for number in range(3)
    ]
    again = reread(after, new.encode(), old.encode())
    assert said(again) == said(before)


def test_a_fault_in_a_document_that_changed_stands_where_it_is_written() -> None:
    """Line, column and the line itself are those of the whole file."""
    texts = [POLICY.format(name=name, method="GET") for name in "ab"]
    old = "---\n".join(texts)
    new = old[:-20] + old[-20:].replace("request", "rekwest") + "  oops: 1\n"
    before = read("a.yaml", old.encode())
    after = reread(before, old.encode(), new.encode())
    assert after.faults == read("a.yaml", new.encode()).faults != ()


def test_a_file_is_read_again_document_by_document() -> None:
    """Whoever reads beside the serving of requests can pause between documents, those that stay as they were too."""
    texts = [POLICY.format(name=f"p{number}", method="GET") for number in range(20)]
    old, new = ("---\n".join([*texts[:-1], texts[-1].replace("GET", method)]).encode() for method in ("GET", "PUT"))
    pauses: list[None] = []
    reread(read("a.yaml", old), old, new, lambda: pauses.append(None))
    assert len(pauses) >= 20
    pauses.clear()
    reread(read("a.yaml", old), old, new + b"---\nbroken: [\n", lambda: pauses.append(None))
    assert len(pauses) >= 2 * 20
