"""A record sink that does not take what it is given."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import load
import pytest
from checks import payloads

from tests.faults.conftest import CHECKS, Served, eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow

CALLS = 18_000  # more than wait for a sink


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Return a pipe that nobody reads."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def test_a_reader_that_does_not_read_changes_no_answer(serve: Callable[..., Served], pipe: tuple[int, int]) -> None:
    """Row O4: standard output is full; every call is answered as before, what is lost is counted, it ends with 0."""
    served = serve("--drain", "0s", stdout=pipe[1])
    wrong: list[bytes] = []

    def answered(index: int, status: int, answer: bytes) -> None:
        if status or (answer[:2] == b"\x0a\x00") != CHECKS[index].allowed:
            wrong.append(answer)

    measured = load.run(served.target, payloads(CHECKS), calls=CALLS, answered=answered)
    assert (measured.calls, measured.errors, wrong) == (CALLS, {}, [])
    eventually(lambda: served.metric("authz_audit_dropped_total") > 0)
    assert served.get("/readyz")[0] == 200
    served.process.terminate()
    assert served.process.wait(30) == 0


def test_a_reader_that_is_gone_changes_no_answer(serve: Callable[..., Served]) -> None:
    """Row O4: a closed pipe costs records, never answers."""
    reading, writing = os.pipe()
    served = serve("--drain", "0s", stdout=writing)
    for end in (reading, writing):
        os.close(end)
    assert load.run(served.target, payloads(CHECKS), calls=600).errors == {}
    eventually(lambda: served.metric("authz_audit_dropped_total") > 0)
    assert load.run(served.target, payloads(CHECKS), calls=600).errors == {}
    served.process.terminate()
    assert served.process.wait(30) == 0
