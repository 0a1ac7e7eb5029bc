"""The tour shows what happens."""

from __future__ import annotations

from pathlib import Path

from tests.docs.tour import PAGE, performed


def test_every_command_says_what_the_page_shows(tmp_path: Path) -> None:
    """From the first file to an explained decision: each command is run, in order, in an empty folder."""
    page = PAGE.read_text()
    assert performed(page, tmp_path) == page
