"""The process: where it listens, how many workers it has, what one check may cost; and all sections as one value.

What two sections say together is checked here, for a section knows only itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from authz.config.settings.callers import ClientSettings, GeoipSettings, IdentitySettings, SigningSettings, TlsSettings
from authz.config.settings.limits import LimitsSettings, RedisSettings
from authz.config.settings.policies import CandidateSettings, ReloadSettings
from authz.config.settings.records import OtlpSettings, RecordSettings
from authz.config.settings.section import Section
from authz.config.values import Address, Duration, HostName, Size, TcpAddressOrOff, too_long


class CheckSettings(Section):
    """What one check may cost."""

    max_in_flight: int = Field(1024, ge=1, le=1_000_000, description="Checks decided at once; one more is denied 503.")
    max_message: Size = Field(
        4 * 1024**2, ge=1024, description="Largest CheckRequest that is read; a larger is denied."
    )
    body_limit: Size | None = Field(
        None, ge=1, description="Envoy's max_request_bytes if bodies are shown in part: one that fills it may be cut."
    )


class Settings(Section):
    """Everything that can be set, frozen."""

    policies: tuple[Path, ...] = Field(
        (Path("policies"),), min_length=1, description="Folders or files that hold policies."
    )
    listen: tuple[Address, ...] = Field(
        ("127.0.0.1:9191",), min_length=1, description="Where Envoy asks: host:port or unix:///path."
    )
    admin: TcpAddressOrOff = Field("127.0.0.1:9192", description="Where health, metrics and the console are, or off.")
    admin_hosts: tuple[HostName, ...] = Field(
        (),
        description="Public names that admin is asked by for more than its health; addresses need none.",
    )
    workers: int = Field(1, ge=1, le=256, description="Processes that answer; over one, a supervisor keeps them alive.")
    transport: Literal["auto", "fast", "aio"] = Field(
        "auto", description="The gRPC server; auto takes fast and falls back to aio if its self-check fails."
    )
    engine: Literal["auto", "cel-expr-python", "cel-python"] = Field(
        "auto", description="The CEL engine; auto takes cel-expr-python where it is installed."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least grave line that standard error gets."
    )
    drain: Duration = Field(
        5.0,
        ge=0,
        le=3600,
        description="How long checks are still answered after SIGTERM, while health says NOT_SERVING.",
    )
    check: CheckSettings = Field(CheckSettings(), description="What one check may cost.")
    reload: ReloadSettings = Field(ReloadSettings(), description="How policies are watched.")
    candidate: CandidateSettings = Field(CandidateSettings(), description="Policies to compare with those in force.")
    redis: RedisSettings = Field(RedisSettings(), description="Where limits are counted.")
    limits: LimitsSettings = Field(LimitsSettings(), description="What callers are told about limits, and more limits.")
    tls: TlsSettings = Field(TlsSettings(), description="TLS on TCP addresses.")
    client: ClientSettings = Field(ClientSettings(), description="Who client.ip is.")
    geoip: GeoipSettings = Field(GeoipSettings(), description="Where client.ip is.")
    identity: IdentitySettings = Field(IdentitySettings(), description="How callers' proofs are checked.")
    signing: SigningSettings = Field(SigningSettings(), description="Who is calling, signed for the services behind.")
    otlp: OtlpSettings = Field(OtlpSettings(), description="Metrics, traces and, where wanted, records over OTLP.")
    record: RecordSettings = Field(RecordSettings(), description="Decision records.")

    @field_validator("workers")
    @classmethod
    def _short(cls, workers: int, so_far: ValidationInfo) -> int:
        """Refuse a socket whose path has no room for the number of the last worker."""
        for place in so_far.data.get("listen", ()) if workers > 1 else ():
            path = place.removeprefix("unix://")
            if path != place and (long := too_long(f"{path}-{workers - 1}")):
                raise ValueError(f'each has a socket of its own, and "{place}" with a number {long}')
        return workers

    @field_validator("record")
    @classmethod
    def _sent_somewhere(cls, record: RecordSettings, so_far: ValidationInfo) -> RecordSettings:
        """Refuse records for a collector that is not named."""
        otlp = so_far.data.get("otlp")
        if record.sink == "otlp" and otlp is not None and otlp.endpoint is None:
            raise ValueError("record.sink: otlp needs otlp.endpoint")
        return record

    def of_worker(self, path: str, worker: int) -> str:
        """Return the file that is a worker's own: `authz.sock` is `authz-0.sock` for the first of several."""
        name, dot, suffix = path.rpartition(".")
        if self.workers == 1:
            return path
        return f"{name}-{worker}.{suffix}" if dot and "/" not in suffix else f"{path}-{worker}"
