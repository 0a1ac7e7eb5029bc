"""The counts that a Redis has, looked at for an explanation: nothing is charged."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from authz.config import load
from authz.errors import Unavailable
from authz.server.building import limiter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authz.engine import Limiter

PATIENCE = "2s"
"""How long Redis is waited for; a person waits longer than a request."""


@contextmanager
def counted_in(url: str) -> Iterator[Limiter]:
    """Open a Redis, otherwise by the settings of `serve` (`AUTHZ_*`); raise `Unavailable` if it did not answer."""
    flags = {"redis.url": url, "redis.timeout": PATIENCE}
    store = limiter(load(environment=os.environ, flags=flags).settings)
    logging.getLogger("authz.limits").addHandler(logging.NullHandler())  # what Redis does not answer is told once
    store.start()
    try:
        yield store
        if error := store.status().get("last_error"):
            raise Unavailable(f"can't ask Redis: {error}")
    finally:
        store.close()
