"""What `authz init` writes works, and passes every check that it names."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from authz.cli.init.command import PLACES, contents
from authz.cli.output import Exit


@pytest.fixture
def made(run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Start anew in a folder, and go there."""
    monkeypatch.chdir(tmp_path)
    assert run("init").status == Exit.FINE
    return tmp_path


def test_every_file_is_written_and_named(run: Callable[..., Any], tmp_path: Path) -> None:
    """Their names go to standard output, what to do next to standard error."""
    ran = run("init", str(tmp_path / "api"))
    assert ran.status == Exit.FINE
    names = sorted([*PLACES, "schema/policy.schema.json", "schema/test.schema.json"])
    assert ran.out.splitlines() == [str(tmp_path / "api" / name) for name in names]
    assert all((tmp_path / "api" / name).read_bytes() == content for name, content in contents().items())
    assert ran.err.startswith("next: authz check --lint ")


def commands(folder: Path) -> list[str]:
    """Return what the workflow and the hook run."""
    workflow = yaml.safe_load((folder / ".github/workflows/policies.yaml").read_text())
    hooks = yaml.safe_load((folder / ".pre-commit-config.yaml").read_text())
    steps = [step["run"] for step in workflow["jobs"]["policies"]["steps"] if "run" in step]
    return [*steps, *(hook["entry"] for hook in hooks["repos"][0]["hooks"])]


def test_the_workflow_and_the_hook_pass(run: Callable[..., Any], made: Path) -> None:
    """No warning, nothing to format, every rule and condition covered: each command they run exits 0."""
    ours = [shlex.split(command) for command in commands(made) if command.startswith("authz ")]
    assert len(ours) == len(commands(made)) - 1
    for _, *arguments in ours:
        ran = run(*arguments)
        assert ran.status == Exit.FINE, (arguments, ran)


def test_what_is_there_is_not_overwritten(run: Callable[..., Any], made: Path) -> None:
    """Not one file, if one is in the way; with --force all of them."""
    (made / "policies/orders.yaml").write_text("mine")
    (made / "policies/platform.yaml").unlink()
    ran = run("init")
    assert ran.status == Exit.ARGUMENTS
    assert "policies/orders.yaml" in ran.err
    assert not (made / "policies/platform.yaml").exists()
    assert (made / "policies/orders.yaml").read_text() == "mine"
    assert run("init", "--force").status == Exit.FINE
    assert (made / "policies/orders.yaml").read_bytes() == contents()["policies/orders.yaml"]


def test_editors_find_schemas_that_accept_what_is_written(made: Path) -> None:
    """By the first line of every file, and by the settings for files that have none."""
    for file in sorted(made.glob("policies/*.yaml")):
        modeline, *_ = file.read_text().splitlines()
        schema = file.parent / modeline.removeprefix("# yaml-language-server: $schema=")
        for document in yaml.load_all(file.read_text(), yaml.BaseLoader):
            told = json.loads(schema.read_text())
            assert document["kind"] in told["$defs"]
        jsonschema.Draft202012Validator.check_schema(told)
    settings = json.loads((made / ".vscode/settings.json").read_text())
    assert all((made / schema).is_file() for schema in settings["yaml.schemas"])
