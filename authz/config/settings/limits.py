"""Limits: where requests are counted, and what callers are told about it.

How many requests a limit lets through, and whose, is the policies' to say.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from authz.config.settings.section import Section
from authz.config.values import Duration, RedisUrl


class RedisSettings(Section):
    """Where limits are counted. Without a URL they are counted in memory, each worker for itself."""

    url: RedisUrl | None = Field(
        None, description="Where Redis is: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://."
    )
    password_file: Path | None = Field(None, description="File that holds the password, so that the URL need not.")
    secret_file: Path | None = Field(
        None, description="File with the secret that keys the hashes of callers in Redis; one for all replicas."
    )
    timeout: Duration = Field(0.02, gt=0, le=5, description="The longest a check waits for Redis.")
    replicas: int = Field(
        1,
        ge=1,
        le=10_000,
        description="How many of this service share Redis; while it is gone each takes its share of a limit.",
    )

    @model_validator(mode="after")
    def _url_for_files(self) -> RedisSettings:
        for name in ("password_file", "secret_file"):
            if getattr(self, name) is not None and self.url is None:
                raise ValueError(f"redis.{name} needs redis.url")
        return self


class LimitsSettings(Section):
    """What callers are told about limits, and what is limited beside policies."""

    headers: tuple[Literal["draft-11", "legacy", "off"], ...] = Field(
        ("draft-11",),
        description="Headers that tell: draft-11 (RateLimit of that IETF draft), legacy (X-RateLimit-*), or off.",
    )
    descriptors: tuple[Path, ...] = Field(
        (),
        description="Files of envoyproxy/ratelimit's configuration; with any, Envoy's rate limit service is answered.",
    )

    @model_validator(mode="after")
    def _off_alone(self) -> LimitsSettings:
        if "off" in self.headers and len(self.headers) > 1:
            raise ValueError("limits.headers: off stands alone")
        return self
