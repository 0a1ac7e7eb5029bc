"""Laws of formatting: done twice it is done once, it says the same, no comment is lost."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from authz.policy.formatting import formatted
from authz.policy.formatting.meaning import alike
from authz.policy.reading import TESTS, is_test_file, read
from authz.policy.yaml import compose

ROOT = Path(__file__).parents[3]
FILES = sorted([*ROOT.glob("policies/**/*.yaml"), *ROOT.glob("tests/policy/examples/*.yaml")])
OURS = [file for file in FILES if b"apiVersion" in file.read_bytes()]

TEXTS = st.sampled_from(["a", "on", "1.10", "a: b", "#x", "a #b", "*", "-", "", " a", "yes", "x'y", 'x"y', "a\nb", "ä"])
LONG = '"' + "x" * 130 + '" == a && b'
CONDITIONS = st.sampled_from(["true", 'source.port == 1 || "a" in identity.roles', "a\n  && b", LONG])
RULES = st.fixed_dictionaries(
    {"name": st.sampled_from(["a", "b"]), "allow": CONDITIONS},
    optional={"when": CONDITIONS, "metadata": st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=2)},
)
SPECS = st.fixed_dictionaries(
    {"match": st.just([{"paths": ["/**", "/a"]}])},
    optional={"rules": st.lists(RULES, max_size=2), "description": TEXTS, "variables": st.just({"b": "1", "a": "2"})},
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Return a policy written in some way, with comments between its lines."""
    document: dict[str, Any] = {
        "kind": "Policy", "spec": draw(SPECS), "metadata": {"name": "p"}, "apiVersion": "authz/v1",
    }  # fmt: skip
    written: str = yaml.dump(
        document,
        indent=draw(st.integers(2, 5)),
        default_flow_style=draw(st.sampled_from([False, None])),
        default_style=draw(st.sampled_from([None, '"', "'"])),
        sort_keys=draw(st.booleans()),
        allow_unicode=True,
        width=100_000,
    )
    lines = []
    for number, line in enumerate(written.splitlines()):
        if re.match(r"\s*(- )?\w+:", line) and draw(st.booleans()):
            lines.append(" " * draw(st.integers(0, 6)) + f"# {number}")
        lines.append(line)
        if draw(st.integers(0, 5)) == 0 and line.endswith(":"):
            lines[-1] += f"  # {number}, behind"
    return draw(st.sampled_from(["\n", "\r\n"])).join([*lines, ""])


def remarks(text: str) -> Counter[str]:
    """Return the comments of a text in which only comments have number signs with a number."""
    return Counter(re.findall(r"# \d+.*", text.replace("\r", "")))


@given(texts(), st.lists(texts(), max_size=1))
def test_formatting_changes_how_and_not_what(first: str, more: list[str]) -> None:
    """It reads the same afterwards, with every comment; formatting it again changes nothing; CRLF stays CRLF."""
    text = "---\n".join([first, *more])
    before = compose("", text.encode())
    if before.faults:
        return
    after = formatted(text)
    assert alike(before.documents, compose("", after.encode()))
    assert remarks(after) == remarks(text)
    assert formatted(after) == after
    assert ("\r\n" in after) == ("\r\n" in text)


@pytest.mark.parametrize("file", OURS, ids=lambda file: str(file.relative_to(ROOT)))
def test_what_ships_stays_what_it_is(file: Path) -> None:
    """Every document of ours reads as the same values, and keeps its comments."""
    text = file.read_text()
    after = formatted(text)
    kinds = {"kinds": TESTS} if is_test_file(file.name) else {}
    readings = [read(file.name, one.encode(), **kinds) for one in (text, after)]
    assert not any(reading.faults for reading in readings)
    assert formatted(after) == after
    assert Counter(re.findall(r"(?<=\s)# .*", text)) == Counter(re.findall(r"(?<=\s)# .*", after))


@pytest.mark.parametrize("file", [file for file in OURS if "policies" in file.parts[-4:]], ids=lambda file: file.name)
def test_what_ships_is_formatted(file: Path) -> None:
    """Who copies from our policies has nothing to mend."""
    assert formatted(file.read_text()) == file.read_text()
