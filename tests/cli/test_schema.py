"""Schemas that are printed are schemas, and accept what they are about."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from authz.cli.schema import Subject


@pytest.mark.parametrize("subject", list(Subject))
def test_a_schema_is_one(subject: Subject, run: Callable[..., Any]) -> None:
    """Whatever is asked for, standard output is one JSON Schema 2020-12 and nothing else."""
    ran = run("schema", subject)
    assert (ran.status, ran.err) == (0, "")
    jsonschema.Draft202012Validator.check_schema(json.loads(ran.out))


def test_the_policy_schema_is_the_default(run: Callable[..., Any], policies: Path) -> None:
    """And it accepts a policy."""
    schema = json.loads(run("schema").out)
    policy = yaml.safe_load((policies / "orders.yaml").read_text())
    assert jsonschema.Draft202012Validator(schema).is_valid(policy)


def test_the_reference_in_the_package_is_current(run: Callable[..., Any]) -> None:
    """`authz/cli/docs/settings.md` is what `authz schema settings --output markdown` prints."""
    written = Path(__file__).parents[2] / "authz" / "cli" / "docs" / "settings.md"
    assert run("schema", "settings", "--output", "markdown").out == written.read_text()


def test_only_settings_have_a_reference(run: Callable[..., Any]) -> None:
    """Asking for another in Markdown is a wrong argument."""
    assert run("schema", "policy", "--output", "markdown").status == 2
