"""One counter taken out of Redis; in a cluster see `test_cluster`, behind sentinels it is the master's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authz.errors import Unavailable
from authz.limits.address import Access
from authz.limits.options import RedisOptions
from authz.limits.redis import RedisLimiter
from authz.limits.resetting import reset
from tests.limits.conftest import answer, charge, eventually, limit

if TYPE_CHECKING:
    from pathlib import Path

ACCESS = Access(timeout=5.0)


def test_a_reset_counter_is_whole_and_its_neighbours_are_not(valkey: str) -> None:
    """Of one limit and one caller; whether there was a count is said."""
    own = RedisLimiter(valkey, RedisOptions(budget=5.0, max_denials=0), secret=b"s")
    own.start()
    eventually(lambda: own.status()["connected"] is True)
    each, other = limit("reset/each", requests=2), limit("reset/other", requests=2)
    for _ in range(2):
        answer(own.charge, [charge(each, "ann"), charge(other, "ann")])
    answer(own.charge, [charge(each, "ben")])
    assert reset(valkey, ACCESS, each, ("ann",), secret=b"s")
    assert not reset(valkey, ACCESS, each, ("ann",), secret=b"s")
    left = [answer(own.peek, [one]).limits[0].remaining for one in (charge(each, "ann"), charge(other, "ann"))]
    assert left == [2, 0]
    assert answer(own.peek, [charge(each, "ben")]).limits[0].remaining == 1
    own.close()


@pytest.mark.parametrize(
    "scheme", ["unix://{}/gone.sock", "redis+cluster://127.0.0.1:1", "redis+sentinel://127.0.0.1:1/m"]
)
def test_a_redis_that_is_gone_is_told(scheme: str, tmp_path: Path) -> None:
    """Whatever kind it is."""
    with pytest.raises(Unavailable):
        reset(scheme.format(tmp_path), ACCESS, limit(), ("ann",))
