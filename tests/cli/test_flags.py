"""A flag for every setting."""

from collections.abc import Callable
from typing import Annotated, Any

import pytest
import typer
from typer.main import get_command

from authz.cli.flags import with_settings, with_switches
from authz.config.names import SETTINGS


@pytest.fixture
def parsed() -> Callable[..., dict[str, Any]]:
    """Parse these arguments with a verb that has one option of its own, and return what it gets."""
    got: dict[str, Any] = {}

    @with_settings
    def command(*, flags: dict[str, Any], own: Annotated[bool, typer.Option("--own")] = False) -> None:
        """Do nothing."""
        got.update(flags=flags, own=own)

    loader = typer.Typer(add_completion=False)
    loader.command()(command)

    def parse(*arguments: str) -> dict[str, Any]:
        get_command(loader).main(list(arguments), standalone_mode=False)
        return got

    return parse


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_has_its_flag(name: str, parsed: Callable[..., dict[str, Any]]) -> None:
    """Typed, it arrives under the setting's name as the text that was typed; the others do not arrive."""
    expected = ("text",) if SETTINGS[name].many else "text"
    assert parsed(SETTINGS[name].flag, "text") == {"flags": {name: expected}, "own": False}


def test_a_list_is_a_flag_that_is_repeated(parsed: Callable[..., dict[str, Any]]) -> None:
    """Each time adds one."""
    assert parsed("--policies", "a", "--own", "--policies", "b") == {"flags": {"policies": ("a", "b")}, "own": True}


def test_help_says_which_flags_are_repeated(
    parsed: Callable[..., dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody has to guess how to give two folders."""
    parsed("--help")
    told = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "Folders or files that hold policies. Repeatable." in told
    assert told.count("Repeatable.") == sum(setting.many for setting in SETTINGS.values())


def test_an_empty_flag_arrives(parsed: Callable[..., dict[str, Any]]) -> None:
    """So that it can be refused: it is no way to say "the default"."""
    assert parsed("--redis", "")["flags"] == {"redis.url": ""}


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("--require-tests", "--require-tests true"),
        ("--require-tests --policies a", "--require-tests true --policies a"),
        ("--require-tests false --policies a", "--require-tests false --policies a"),
        ("--policies a --record-chain", "--policies a --record-chain true"),
        ("--require-tests=false", "--require-tests=false"),
        ("--policies --require-tests", "--policies --require-tests true"),
        ("", ""),
    ],
)
def test_a_switch_that_stands_alone_is_on(typed: str, written: str) -> None:
    """`--require-tests` says what it seems to say; with a value it says that."""
    assert with_switches(typed.split()) == written.split()
