"""A file as Envoy reads it, with the place of every value."""

from __future__ import annotations

import pytest

from authz.config import Settings
from authz.envoy.checking import findings
from authz.envoy.reading import read
from authz.policy.source import Mapping
from tests.envoy.conftest import ENVOY


def test_fields_have_two_names_and_values_several_forms() -> None:
    """As Envoy reads them: JSON's names, numbers for enums, `yes`, anchors and merges."""
    text = (ENVOY / "sidecar.yaml").read_text()
    assert "failure_mode_allow: false" in text
    for written in ("failureModeAllow: true", "failure_mode_allow: yes", 'failure_mode_allow: "true"',
                    "<<: {failure_mode_allow: true}"):  # fmt: skip
        found = findings({"a.yaml": text.replace("failure_mode_allow: false", written).encode()}, Settings())
        assert [one.code for one in found] == ["EV201"], written
    numbered = text.replace("REJECT_REQUEST\n", "2\n")
    assert numbered != text
    assert findings({"a.yaml": numbered.encode()}, Settings()) == ()


@pytest.mark.parametrize(
    "text",
    ["a: [", "a: 1\na: 2\nvirtual_hosts: []", "[" * 5000, "- " * 5000, "\x00", "a: *b", "%YAML 3\n", "<<: 1"],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_told(text: str) -> None:
    """With the place; a field that is there twice could hide the one that counts."""
    found = findings({"a.yaml": text.encode()}, Settings())
    assert {one.code for one in found} == {"EV001"}
    assert found[0].line >= 1


def test_a_file_that_refers_to_itself_ends() -> None:
    """An anchor inside of itself, and a few anchors that stand for billions of nodes."""
    laughs = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))
    merges = "\n".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}], k{n}: 1}}" for n in range(1, 60))
    for text in (
        "a: &a [*a]",
        "a: &a {b: *a}",
        "a: &a {b: 1, <<: *a}",
        f"a0: &a0 [x]\n{laughs}",
        f"a0: &a0 {{k: 1}}\n{merges}",
    ):
        assert [one.code for one in findings({"a.yaml": text.encode()}, Settings())] == ["EV002"]


def test_what_is_written_goes_before_what_is_merged_in() -> None:
    """Each field once: the written one, then that of the mapping which is merged in first."""
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: &c {<<: [*a, *b], w: 3}\nd: {<<: *c, x: 4}"
    (document,), faults = read("a.yaml", text.encode())
    assert faults == []
    assert isinstance(document, Mapping)
    assert document["c"] == {"x": "1", "y": "1", "z": "2", "w": "3"}
    assert document["d"] == {"x": "4", "y": "1", "z": "2", "w": "3"}
