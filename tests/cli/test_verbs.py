"""Every verb is complete: listed, helped, and shown by an example that its own parser takes."""

import re
import shlex
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from authz.cli.verbs import VERBS


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_has_help_and_an_example(name: str, run: Callable[..., Any]) -> None:
    """`authz VERB --help` says what it does, documents every option, and ends with the example."""
    ran = run(name, "--help")
    assert ran.status == 0
    assert ran.out.startswith(f"Usage: authz {name} ")
    assert ran.out.rstrip().endswith(VERBS[name].example)
    for option in re.findall(r"^  (--?[a-z-]+.*)$", ran.out, re.MULTILINE):
        assert re.search(r"\s{2,}\S", option) or len(option) > 24, option


@pytest.mark.parametrize("name", VERBS)
def test_the_list_says_what_every_verb_does(name: str, run: Callable[..., Any]) -> None:
    """`authz --help` has a line for each, and the verb's own help begins with a sentence."""
    assert re.search(rf"^  {name} +{re.escape(VERBS[name].about)}$", run("--help").out, re.MULTILINE)
    assert re.match(r"[A-Z][^\n]*[.,:]?\n", import_module(VERBS[name].module).command.__doc__ + "\n")


@pytest.mark.parametrize("name", VERBS)
def test_an_example_parses(name: str, tmp_path: Path) -> None:
    """What help suggests is accepted by the verb's own arguments, where the files it names are there."""
    command, verb, *arguments = shlex.split(VERBS[name].example.partition(" > ")[0])
    loader = typer.Typer(add_completion=False)
    loader.command(verb)(import_module(VERBS[name].module).command)
    assert (command, verb) == ("authz", name)
    get_command(loader).make_context(name, [_there(one, tmp_path) for one in arguments])


def _there(argument: str, folder: Path) -> str:
    """Return an argument, or the name of what is there in place of what it names."""
    place = folder / Path(argument).name
    if argument == "policies/":
        place.mkdir()
    elif Path(argument).suffix in {".yaml", ".jsonl"}:
        place.touch()
    else:
        return argument
    return str(place)
