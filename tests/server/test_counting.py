"""Envoy's rate limit service beside the checks."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import grpc
import pytest

from authz._pb.envoy.service.ratelimit.v3.rls_pb2 import RateLimitRequest, RateLimitResponse
from authz.config import Settings, load
from authz.errors import SettingsFaults, Unavailable
from authz.limits.memory import MemoryLimiter
from authz.limits.service import SHOULD_RATE_LIMIT
from authz.server.building import build
from authz.server.counting import rate_limits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHOP = "domain: shop\ndescriptors: [{key: caller, rate_limit: {unit: year, requests_per_unit: 2}}]\n"


def _settings(tmp_path: Path, content: str | None, transport: str = "aio") -> Settings:
    (tmp_path / "policies").mkdir()
    flags: dict[str, str | tuple[str, ...]] = {
        "policies": (str(tmp_path / "policies"),),
        "listen": (f"unix://{tmp_path}/authz.sock",),
        "admin": "off",
        "record.sink": "off",
        "transport": transport,
    }
    if content is not None:
        (tmp_path / "limits.yaml").write_text(content)
        flags["limits.descriptors"] = (str(tmp_path / "limits.yaml"),)
    return load(environment={}, flags=flags).settings


@contextmanager
def asking(settings: Settings, tmp_path: Path) -> Iterator[grpc.UnaryUnaryMultiCallable]:
    """Run a process and yield what asks it about limits."""
    process = build(settings)
    process.start()
    try:
        with grpc.insecure_channel(f"unix:{tmp_path}/authz.sock") as channel:
            yield channel.unary_unary(SHOULD_RATE_LIMIT)
    finally:
        process.stop(1.0)


@pytest.mark.parametrize("transport", ["aio", "fast"])
def test_limits_are_asked_about_on_the_same_port(tmp_path: Path, transport: str) -> None:
    """Both transports carry the question, without policies too; garbage is over the limit and no gRPC error."""
    question = RateLimitRequest(domain="shop")
    question.descriptors.add().entries.add(key="caller", value="a")
    with asking(_settings(tmp_path, SHOP, transport), tmp_path) as ask:
        answers = [
            RateLimitResponse.FromString(ask(message, timeout=5)).overall_code
            for message in (*[question.SerializeToString()] * 3, b"\xff", b"")
        ]
    ok, over = RateLimitResponse.OK, RateLimitResponse.OVER_LIMIT
    assert answers == [ok, ok, over, over, over]


def test_without_a_configuration_the_service_is_not_offered(tmp_path: Path) -> None:
    """A service that limits nothing would look like one that works."""
    with asking(_settings(tmp_path, None), tmp_path) as ask, pytest.raises(grpc.RpcError) as caught:
        ask(b"", timeout=5)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_configuration_with_a_mistake_keeps_the_process_from_starting(tmp_path: Path) -> None:
    """As with any setting."""
    with pytest.raises(SettingsFaults, match="no unit"):
        rate_limits(_settings(tmp_path, SHOP.replace("year", "eon")), MemoryLimiter())


def test_a_configuration_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """Missing, or not UTF-8."""
    settings = _settings(tmp_path, SHOP)
    (tmp_path / "limits.yaml").write_bytes(b"\xff")
    with pytest.raises(Unavailable, match="it is no UTF-8"):
        rate_limits(settings, MemoryLimiter())
    (tmp_path / "limits.yaml").unlink()
    with pytest.raises(Unavailable, match="No such file"):
        rate_limits(settings, MemoryLimiter())
