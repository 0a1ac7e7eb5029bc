"""Tests of blanks and blank lines."""

from __future__ import annotations

from authz.policy.formatting import formatted
from tests.policy.formatting.conftest import policy


def test_what_nobody_sees_goes() -> None:
    """Blanks at the ends of lines, more than one blank line, lines before the first and behind the last."""
    assert formatted("\n\n" + policy("match: [{paths: [/a]}]   \n\n\n\nmode: shadow\n\n\n")) == policy(
        "mode: shadow\nmatch: [{paths: [/a]}]\n"
    )


def test_blank_lines_in_a_text_are_the_authors() -> None:
    """A block keeps every line it has."""
    text = policy("description: |-\n  One.  \n\n\n  Two.\nmatch: [{paths: [/a]}]\n")
    assert formatted(text) == text
    assert formatted(text + "\n") == text
