"""Policies made of what another program was configured with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from authz.cli.output import Exit


def test_a_ratelimit_configuration_becomes_a_guardrail(run: Callable[..., Any], tmp_path: Path) -> None:
    """The policy goes to standard output, what was made to standard error."""
    (tmp_path / "c.yaml").write_text(
        "domain: d\ndescriptors: [{key: path, rate_limit: {unit: day, requests_per_unit: 1}}]"
    )
    ran = run("import", "ratelimit", str(tmp_path / "c.yaml"))
    assert ran.status == 0
    assert yaml.safe_load(ran.out)["kind"] == "Guardrail"
    assert ran.err == "1 limit; the notes at the head say what to look at\n"


@pytest.mark.parametrize(
    ("content", "told"), [(b"domain: d\nlimits: []", "`limits`"), (b"\xff", "no UTF-8"), (None, "No such file")]
)
def test_what_cannot_be_read_is_told(content: bytes | None, told: str, run: Callable[..., Any], tmp_path: Path) -> None:
    """Exit code 2, and nothing on standard output."""
    if content is not None:
        (tmp_path / "c.yaml").write_bytes(content)
    ran = run("import", "ratelimit", str(tmp_path / "c.yaml"))
    assert (ran.status, ran.out) == (Exit.ARGUMENTS, "")
    assert told in ran.err
