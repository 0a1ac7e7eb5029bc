"""Envoy's rate limit service as a method of the server, where settings name its configuration."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from authz.errors import Unavailable
from authz.files import whole
from authz.limits.descriptors import Domains, read_domain
from authz.limits.service import OVER, SHOULD_RATE_LIMIT, RateLimitService
from authz.transport import Method

if TYPE_CHECKING:
    from pathlib import Path

    from authz.config import Settings
    from authz.engine import Limiter
    from authz.limits.descriptors import Domain


def rate_limits(settings: Settings, limiter: Limiter) -> tuple[Method, ...]:
    """Return the method, counting in `limiter`; none where nothing is configured. Raises `SettingsFaults`."""
    files = settings.limits.descriptors
    if not files:
        return ()
    service = RateLimitService(Domains(map(_read, files)), limiter, time.monotonic)
    method = Method(
        path=SHOULD_RATE_LIMIT,
        check=service.check,
        refuse=service.refuse,
        last_resort=OVER,
        max_message_bytes=settings.check.max_message,
    )
    return (method,)


def _read(file: Path) -> Domain:
    try:
        return read_domain(whole(file).decode(), str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise Unavailable(f"can't read {file}: {getattr(error, 'strerror', None) or 'it is no UTF-8'}") from error
