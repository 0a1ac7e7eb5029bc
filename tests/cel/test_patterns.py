"""Regular expressions and globs (threats C9, C10, C11)."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.cel.patterns import check_glob, check_pattern, glob, matches, split
from authz.cel.values import NoValueError

if TYPE_CHECKING:
    from collections.abc import Iterator

segment = st.text(alphabet="ab.-~%", min_size=1, max_size=3)


@pytest.fixture
def stderr(capfd: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """Return what the process writes, C++ included; it has to be nothing."""
    yield capfd
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "pattern", ["(", "a{1001}", "((a{100}){100}){100}", "(?P<n>", "[z-a]", r"\8", r"(a)\1", "(?=a)", "*", "x\n("]
)
@pytest.mark.usefixtures("stderr")
def test_a_bad_pattern_is_refused_silently(pattern: str) -> None:
    """RE2 is not allowed to write what it does not like to stderr: a pattern with a line feed would be a line (C10)."""
    with pytest.raises(NoValueError):
        check_pattern(pattern)


@pytest.mark.parametrize("pattern", [r"(?:\pL{100}){10}", "." * 4_000, r"(?i)[\pL\pN]{200}"])
def test_a_pattern_that_compiles_to_too_much_is_refused(pattern: str) -> None:
    """The size of a program is bounded (C9)."""
    with pytest.raises(NoValueError):
        check_pattern(pattern)


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(.*)*x", "(a|aa)+$", "(a|b)*a(a|b){12}$", "^(([a-z])+.)+[A-Z]([a-z])+$"]
)
def test_matching_is_linear(pattern: str) -> None:
    """A megabyte that does not match costs little, whatever the pattern (C9)."""
    subject = "a" * 1_000_000 + "!"
    started = perf_counter()
    matches(subject, pattern)
    assert perf_counter() - started < 5


def test_a_pattern_is_found_anywhere() -> None:
    """Without anchors a match is a part (C11: the linter warns of it)."""
    assert matches("/x/public/y", "/public/.*")
    assert not matches("/x/public/y", "^/public/")
    assert matches("é", "^.$")
    assert not matches("a\nb", "^a.b$")


@pytest.mark.parametrize("pattern", ["", "a", "a/*", "/a*", "/**/a", "/a/**/b", "/***", "/{id}"])
def test_what_is_no_glob_is_refused(pattern: str) -> None:
    """A wildcard is a whole segment, `**` only the last."""
    with pytest.raises(NoValueError):
        check_glob(pattern)


@given(st.lists(segment, max_size=5))
def test_a_path_matches_itself_and_what_covers_it(segments: list[str]) -> None:
    """A path is matched by itself, by stars in the place of segments, and by every open-ended start of it."""
    path = "/" + "/".join(segments)
    assert glob(path, path)
    assert glob(path + "/", path)
    assert glob(path, "/" + "/".join("*" for _ in segments))
    for length in range(len(segments) + 1):
        assert glob(path, "/" + "/".join([*segments[:length], "**"]))
    assert not glob(path + "/more", path)


def test_segments_are_compared_whole() -> None:
    """No prefix of a segment matches, and case matters."""
    assert not glob("/v10", "/v1/**")
    assert not glob("/V1", "/v1")
    assert not glob("/a", "/a/*")
    assert split("/") == []
    assert split("/a//b/") == ["a", "", "b"]
