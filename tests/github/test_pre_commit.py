"""The hooks of pre-commit name what there is."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import yaml

from authz.cli.app import authz

HOOKS = yaml.safe_load((Path(__file__).parents[2] / ".pre-commit-hooks.yaml").read_text())
KEYS = {
    "id", "name", "description", "entry", "language", "files", "pass_filenames", "args", "minimum_pre_commit_version",
}  # fmt: skip


def test_every_hook_is_whole() -> None:
    """Keys that pre-commit knows, ids once."""
    assert all(hook.keys() == KEYS for hook in HOOKS)
    assert [hook["id"] for hook in HOOKS] == ["authz-check", "authz-fmt", "authz-test"]


@pytest.mark.parametrize("hook", HOOKS, ids=[hook["id"] for hook in HOOKS])
def test_an_entry_is_a_command_that_parses(hook: dict[str, str], tmp_path: Path) -> None:
    """With the folder behind it, as pre-commit calls it."""
    program, verb, *flags = shlex.split(hook["entry"])
    assert program == "authz"
    authz.commands[verb].make_context(verb, [*flags, str(tmp_path)])
