"""What pages tell people to type exists, and what the README shows of an answer is what is answered."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from authz.cli.verbs import VERBS
from authz.config.names import SETTINGS
from authz.config.sources import CONFIG_VARIABLE

ROOT = Path(__file__).parents[2]
PAGES = [
    *ROOT.glob("*.md"),
    *(
        page
        for folder in (".github", "authz", "deploy", "envoy", "policies")
        for page in ROOT.glob(f"{folder}/**/*.md")
    ),
]
_COMMAND = re.compile(r"(?<![\w/.-])authz(?: --debug)? ([a-z]+)\b([^`#|;&\n]*)")
_FLAG = re.compile(r"(?<!\S)--?[a-z][a-z-]*(?=[\s=)]|$)")
_ID = re.compile(r"\b[0-9a-f]{32}\b")
_VARIABLE = re.compile(r"\bAUTHZ_(?!TEST_)[A-Z_]*[A-Z]\b")


@cache
def flags(verb: str) -> frozenset[str]:
    """Return every flag of a verb."""
    loader = typer.Typer(add_completion=False)
    loader.command(verb)(import_module(VERBS[verb].module).command)
    return frozenset(flag for parameter in get_command(loader).params for flag in parameter.opts) | {"--help", "-h"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_flag_and_variable_named_exists(page: Path) -> None:
    """Who copies a command from a page is not told that there is no such option."""
    text = page.read_text()
    commands = [(verb, rest) for verb, rest in _COMMAND.findall(text) if verb in VERBS]
    assert [(verb, flag) for verb, rest in commands for flag in _FLAG.findall(rest) if flag not in flags(verb)] == []
    variables = {setting.variable for setting in SETTINGS.values()} | {CONFIG_VARIABLE}
    assert set(_VARIABLE.findall(text)) <= variables


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Make a folder in which what the samples name is there: all policies, and the shop's before and after a change."""
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    for state in ("old", "new"):
        shutil.copytree(ROOT / "policies/shop", tmp_path / state)
    for file, was, became in (
        ("orders.yaml", "rate: 3/minute", "rate: 5/minute"),
        ("catalog.yaml", 'allow: request.method in ["GET", "HEAD"]', "allow: true"),
    ):
        changed = tmp_path / "new" / file
        changed.write_text(changed.read_text().replace(was, became))
    return tmp_path


@pytest.mark.parametrize("page", ["README.md", "authz/cli/docs/explain.md", "authz/cli/docs/diff.md"])
def test_what_a_page_shows_of_an_answer_is_what_is_answered(page: str, shop: Path) -> None:
    """What stands below a `$ authz` is what that prints, letter by letter; `…` stands for more, an id for any."""
    (shown,) = re.findall(r"```\n(\$ authz .*?)```", (ROOT / page).read_text(), re.DOTALL)
    for told in re.split(r"^\$ ", shown, flags=re.MULTILINE)[1:]:
        command, _, expected = told.strip().partition("\n")
        arguments = [sys.executable, "-m", "authz", *shlex.split(command, comments=True)[1:]]
        done = subprocess.run(arguments, cwd=shop, capture_output=True, text=True, timeout=60, check=True)
        rest = _ID.sub("ID", done.stdout)
        for part in filter(None, (each.strip(" ,\n}") for each in _ID.sub("ID", expected).split("…"))):
            assert part in rest
            rest = rest.partition(part)[2]
