"""`authz bench` on a service that runs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from authz.cli.output import Exit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from authz.server.process import Process


@pytest.fixture
def address(served: Process, tmp_path: Path) -> str:
    """Return where the policies are served."""
    assert served.live()
    return f"unix://{tmp_path}/authz.sock"


def test_the_service_is_measured_beside_a_server_that_does_nothing(run: Callable[..., Any], address: str) -> None:
    """Both by the same client, with what the service answered: what was not counted has used up the limit."""
    asked = ("GET", "http://api.example.com/orders/7", "-H", "x-tenant: acme", "--address", address, "--seconds", "0.6")
    ran = run("bench", *asked, "--output", "json")
    assert ran.status == 0
    found = json.loads(ran.out)
    assert found["answers"].keys() == {"denied 429"}
    for one in (found["service"], found["noop"]):
        assert one["calls"] > 0
        assert one["p50_ms"] <= one["p99_ms"] <= one["p99.9_ms"]


def test_people_read_a_line_each(run: Callable[..., Any], address: str) -> None:
    """And how the two compare."""
    out = run("bench", "--address", address, "--seconds", "0.3").out
    assert re.search(r"^service +\d+/s  p50 [\d.]+ ms  p99 [\d.]+ ms  p99.9 [\d.]+ ms$", out, re.MULTILINE)
    assert re.search(r"^no-op +\d+/s", out, re.MULTILINE)
    assert re.search(r"^answers: \d+ denied 403$", out, re.MULTILINE)


def test_what_does_not_answer_is_no_result(run: Callable[..., Any], tmp_path: Path) -> None:
    """Exit 1, and why, before anything is measured; a header that is none is an argument, and so is such a URL."""
    ran = run("bench", "--address", f"unix://{tmp_path}/none.sock")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == f"unix://{tmp_path}/none.sock: unavailable: no such file or directory\n"
    assert run("bench", "-H", "nonsense").status == Exit.ARGUMENTS
    assert run("bench", "GET", "api.example.com").status == Exit.ARGUMENTS


def test_calls_that_fail_are_told(run: Callable[..., Any], healthy: Callable[[str, int], str]) -> None:
    """A server that is well and does not know the call has no rate."""
    ran = run("bench", "--address", healthy("authz.sock", 1), "--seconds", "0.1")
    assert (ran.status, "got no answer: gRPC UNIMPLEMENTED" in ran.err) == (1, True)
