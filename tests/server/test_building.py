"""The objects of a process, as settings want them."""

from pathlib import Path

import pytest

from authz.config import Settings, load
from authz.errors import Unavailable
from authz.limits.memory import MemoryLimiter
from authz.limits.redis import RedisLimiter
from authz.server.building import build, limiter


def _settings(tmp_path: Path, **flags: str | tuple[str, ...]) -> Settings:
    given = {"listen": (f"unix://{tmp_path}/authz.sock",), "record.sink": "off", "transport": "aio", **flags}
    return load(environment={}, flags=given).settings


@pytest.mark.parametrize(
    ("workers", "listen", "worker", "expected"),
    [
        ("1", "unix:///run/authz.sock", 0, "unix:///run/authz.sock"),
        ("2", "unix:///run/authz.sock", 1, "unix:///run/authz-1.sock"),
        ("2", "unix:///run.d/authz", 0, "unix:///run.d/authz-0"),
        ("2", "127.0.0.1:9191", 1, "127.0.0.1:9191"),
    ],
)
def test_workers_share_ports_and_have_sockets_of_their_own(
    workers: str, listen: str, worker: int, expected: str, tmp_path: Path
) -> None:
    """A Unix path gets the worker's number before its suffix; a single process keeps it as it is."""
    process = build(_settings(tmp_path, workers=workers, listen=(listen,)), worker)
    assert process.status()["listen"] == [expected]


def test_a_process_that_was_only_built_serves_nothing(tmp_path: Path) -> None:
    """Building starts nothing and denies everything."""
    process = build(_settings(tmp_path))
    assert not process.ready()
    assert (process.status()["generation"], process.status()["policy_digest"]) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_limits_are_counted_in_redis_where_there_is_one(tmp_path: Path) -> None:
    """Else in memory."""
    assert isinstance(limiter(_settings(tmp_path)), MemoryLimiter)
    (tmp_path / "secret").write_text("s" * 1000)
    flags = {"redis.url": "redis://127.0.0.1:1", "redis.secret_file": str(tmp_path / "secret")}
    redis = limiter(_settings(tmp_path, **flags))
    redis.start()
    redis.close()
    assert isinstance(redis, RedisLimiter)


@pytest.mark.parametrize(("content", "told"), [(None, "No such file"), (b" \n", "it is empty")])
def test_a_secret_that_cannot_be_had_is_told(content: bytes | None, told: str, tmp_path: Path) -> None:
    """Hashes are never keyed with nothing where a key was asked for."""
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    settings = _settings(tmp_path, **{"redis.url": "redis://h", "redis.secret_file": str(tmp_path / "secret")})
    with pytest.raises(Unavailable, match=told):
        limiter(settings)


def test_a_file_for_records_that_cannot_be_had_is_told(tmp_path: Path) -> None:
    """Before anything starts."""
    with pytest.raises(Unavailable, match=r"can't write records to .*/no/records: No such file"):
        build(_settings(tmp_path, **{"record.sink": f"{tmp_path}/no/records"}))
