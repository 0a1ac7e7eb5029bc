"""`authz doctor` on a service that runs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from authz.server.process import Process


def test_a_service_that_is_well_is_said_to_be(run: Callable[..., Any], served: Process, tmp_path: Path) -> None:
    """A line a part, exit 0; `--quiet` leaves only what may be odd."""
    asked = ("doctor", "--admin", f"127.0.0.1:{admin_port(served)}", "--listen", f"unix://{tmp_path}/authz.sock")
    ran = run(*asked)
    assert ran.status == 0
    assert re.search(r"^fine  ready: version \S+, (compiled|interpreted), decides checks$", ran.out, re.MULTILINE)
    assert f"fine  unix://{tmp_path}/authz.sock: answers, and says that it serves" in ran.out
    assert run(*asked, "--quiet").out.startswith("odd   limits: are counted in memory, by each process alone -> ")


def admin_port(process: Process) -> int:
    """Return where the admin port is."""
    assert process.admin is not None
    return process.admin.port


def test_a_service_that_is_gone_is_wrong(run: Callable[..., Any], tmp_path: Path) -> None:
    """Each address with its remedy, and exit 1; for programs as data."""
    asked = ("doctor", "--admin", "http://127.0.0.1:1", "--listen", f"unix://{tmp_path}/authz.sock")
    ran = run(*asked, "--output", "json")
    assert ran.status == 1
    found = json.loads(ran.out)["findings"]
    assert {(one["grade"], one["about"]) for one in found} == {
        ("wrong", "admin port"), ("wrong", f"unix://{tmp_path}/authz.sock"),
    }  # fmt: skip
    assert all(one["remedy"] for one in found)
