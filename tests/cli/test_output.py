"""Where words go, and in what colour."""

import pytest
import typer

from authz.cli.output import say, tell


def test_data_and_messages_go_apart(capsys: pytest.CaptureFixture[str]) -> None:
    """Data is for the next program, messages are for the person."""
    say("data")
    tell("message")
    assert tuple(capsys.readouterr()) == ("data\n", "message\n")


@pytest.mark.parametrize(("variable", "coloured"), [("1", False), ("", True), (None, True)])
def test_no_color_is_respected(
    variable: str | None, coloured: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`NO_COLOR` with any text takes colour away; empty or absent, a terminal decides (no-color.org)."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    if variable is not None:
        monkeypatch.setenv("NO_COLOR", variable)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    say(typer.style("red", fg="red"))
    assert ("\x1b[" in capsys.readouterr().out) is coloured
