"""`authz healthcheck` with options is the same question."""

from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_options_reach_the_probe(run: Callable[..., Any], tmp_path: Path) -> None:
    """The exit code is the probe's, and the address is said."""
    ran = run("healthcheck", "--timeout", "0.2", f"unix://{tmp_path}/authz.sock")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith(f"unix://{tmp_path}/authz.sock: ")
