"""What signals do to a service under load."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.faults.conftest import NOT_SERVING, SERVING, eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.conftest import Load, Served

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("transport", ["fast", "aio"])
def test_a_drain_under_load_fails_no_call(
    transport: str, serve: Callable[..., Served], loaded: Callable[[Served], Load]
) -> None:
    """Row G6: after SIGTERM health says NOT_SERVING and every call is answered; once they stop it ends with 0."""
    served = serve("--drain", "2s", "--transport", transport)
    calls = loaded(served)
    served.process.terminate()
    eventually(lambda: served.health() == NOT_SERVING)
    assert (served.get("/livez")[0], served.get("/readyz")[0]) == (200, 503)
    calls.more(200)
    calls.stop()
    assert served.process.wait(30) == 0
    assert (calls.failed, calls.lost) == ([], False)
    assert len(calls.reasons) > 300
    assert served.log("checks were cut off") == []


def test_a_second_signal_ends_a_long_drain(serve: Callable[..., Served], loaded: Callable[[Served], Load]) -> None:
    """Row G6: who is in a hurry signals twice, also under load; it is still an orderly end."""
    served = serve("--drain", "1h")
    calls = loaded(served)
    served.process.terminate()
    eventually(lambda: served.health() == NOT_SERVING)
    begun = time.monotonic()
    served.process.terminate()
    assert served.process.wait(30) == 0
    assert time.monotonic() - begun < 10
    assert served.log("stopped")
    calls.stop()
    assert calls.failed == []


def test_a_reload_under_load_fails_no_call(serve: Callable[..., Served], loaded: Callable[[Served], Load]) -> None:
    """SIGHUP has it look now: at the same, at something new, at something broken."""
    served = serve("--reload-interval", "1h", "--reload-settle", "10ms")
    calls = loaded(served)
    file = served.policies / "p.yaml"
    good = file.read_text()
    served.process.send_signal(signal.SIGHUP)
    eventually(lambda: served.log("policies are what they were"))
    for content, message, times in ((good + "# new\n", "policies are in force", 2), ("kind: X", "policies can't", 1)):
        file.write_text(content)
        served.process.send_signal(signal.SIGHUP)
        eventually(lambda message=message, times=times: len(served.log(message)) >= times)
        calls.more()
    calls.stop()
    assert (calls.failed, calls.lost, served.health()) == ([], False, SERVING)
    assert served.metric("authz_policy_generation") == 2
