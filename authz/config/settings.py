"""Every setting: its name, default, unit and one line about it.

The field is the setting: `redis.timeout` in the file, and from that its variable, its flag (`authz.config.names`) and
its row in the reference. One section per part of the service; what belongs to the process stands at the top. Values
that have a unit carry it (`20ms`, `4MiB`). To add a setting, add a field here; nothing else lists them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from authz.config.values import Address, Duration, HostName, Network, RedisUrl, Size, TcpAddressOrOff, too_long

Share = Annotated[float, Field(ge=0, le=1)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)


class CheckSettings(_Section):
    """What one check may cost."""

    max_in_flight: int = Field(1024, ge=1, le=1_000_000, description="Checks decided at once; one more is denied 503.")
    max_message: Size = Field(
        4 * 1024**2, ge=1024, description="Largest CheckRequest that is read; a larger is denied."
    )


class ReloadSettings(_Section):
    """How policies are watched."""

    interval: Duration = Field(5.0, ge=0.05, le=3600, description="How often the contents of the folders are compared.")
    settle: Duration = Field(
        0.25,
        ge=0,
        le=60,
        description="How long a plain folder must be still before it is read; swapped links need none.",
    )
    max_bytes: Size = Field(64 * 1024**2, ge=1024, description="The most that all files together may hold.")
    require_tests: bool = Field(
        False, description="Whether policies come into force only when the tests beside them pass; none is a failure."
    )
    verify_keys: tuple[Path, ...] = Field(
        (), description="Public keys (Ed25519, PEM), one of which must have signed each folder of policies."
    )
    tests_timeout: Duration = Field(60.0, gt=0, le=3600, description="How long the tests beside policies may run.")
    max_age: Duration | None = Field(
        None, gt=0, description="How long policies may stay in force that the folders were last seen to hold."
    )
    on_max_age: Literal["warn", "not_ready", "deny"] = Field(
        "not_ready", description="What policies do that are older: tell, end readiness too, or deny everything too."
    )

    @model_validator(mode="after")
    def _looks_in_time(self) -> ReloadSettings:
        if self.max_age is not None and self.max_age < 2 * (self.interval + self.settle):
            raise ValueError("reload.max_age must be at least twice reload.interval and reload.settle together")
        return self


class CandidateSettings(_Section):
    """Policies that may come into force one day, compared with those that are on real requests; they answer nobody."""

    policies: tuple[Path, ...] = Field((), description="Folders or files of policies to compare; none: no comparing.")
    share: Share = Field(
        1.0, description="Share of requests that is compared, 0 to 1, by the hash of the decision's id."
    )


class RedisSettings(_Section):
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


class LimitsSettings(_Section):
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


class TlsSettings(_Section):
    """TLS on the TCP addresses of `listen`; Unix sockets carry none."""

    certificate: Path | None = Field(None, description="Certificate chain, PEM; with it TCP speaks only TLS.")
    key: Path | None = Field(None, description="Private key of the certificate, PEM.")
    client_ca: Path | None = Field(None, description="Authorities, PEM, one of which must have signed the caller's.")

    @model_validator(mode="after")
    def _whole(self) -> TlsSettings:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("tls.certificate and tls.key go together")
        if self.client_ca is not None and self.certificate is None:
            raise ValueError("tls.client_ca needs tls.certificate and tls.key")
        return self


class ClientSettings(_Section):
    """Who `client.ip` is: one of the two, or neither, and then it is the direct peer."""

    trusted_hops: int = Field(0, ge=0, le=32, description="Proxies before Envoy that each append to x-forwarded-for.")
    trusted_networks: tuple[Network, ...] = Field(
        (), description="Networks whose addresses in x-forwarded-for are proxies, walked from the right."
    )

    @model_validator(mode="after")
    def _one_way(self) -> ClientSettings:
        if self.trusted_hops and self.trusted_networks:
            raise ValueError("client.trusted_hops and client.trusted_networks exclude each other")
        return self


class GeoipSettings(_Section):
    """Files that say where client.ip is, for client.geo; the extra geoip. They may be exchanged at any time."""

    country: Path | None = Field(None, description="A MaxMind DB file of countries or cities, for client.geo.country.")
    asn: Path | None = Field(
        None, description="A MaxMind DB file of autonomous systems, for client.geo.asn and client.geo.organization."
    )


class IdentitySettings(_Section):
    """How callers' proofs are checked."""

    wait: Duration = Field(
        3.0,
        ge=0,
        le=60,
        description="How long policies with a new key set wait for its first fetch before they come into force.",
    )
    require_keys: bool = Field(
        True, description="Whether a process is ready only when every key set was fetched once since it started."
    )


class SigningSettings(_Section):
    """Who is calling, said to the services behind Envoy so that they can verify it. Without keys nothing is said."""

    keys: tuple[Path, ...] = Field(
        (), description="Private keys, PEM, or folders of them: the first signs, all are published on the admin port."
    )
    header: str = Field(
        "x-authz-identity",
        pattern=r"^x-[a-z0-9]+(-[a-z0-9]+)*$",
        description="The header of the token; what clients and rules say under this name does not count.",
    )
    issuer: str = Field("", description="Who makes the tokens, their iss: a URL or a name that is nobody else's.")
    audience: str = Field("", description="Who the tokens are for, their aud, where a policy does not say.")
    lifetime: Duration = Field(
        60.0, ge=10, le=3600, description="How long a token is good; one serves a caller for half of it."
    )

    @model_validator(mode="after")
    def _whole(self) -> SigningSettings:
        for name in ("issuer", "audience"):
            if bool(self.keys) != bool(getattr(self, name)):
                raise ValueError(f"signing.keys and signing.{name} go together")
        return self


class RecordSettings(_Section):
    """Where decision records go and how many of them."""

    sink: str = Field(
        "stdout",
        min_length=1,
        description="stdout, otlp (logs to otlp.endpoint), off, or the path of a file that is rotated.",
    )
    allow: Share = Field(1.0, description="Share of allowed requests that is recorded, 0 to 1.")
    deny: Share = Field(1.0, description="Share of denied requests that is recorded, 0 to 1.")
    redirect: Share = Field(1.0, description="Share of redirected requests that is recorded, 0 to 1.")
    reads: Literal["off", "fingerprints", "values"] = Field(
        "fingerprints", description="How a record holds what its decision depended on; a replay needs values."
    )
    key_file: Path | None = Field(
        None, description="File with the secret that keys fingerprints; without one, each process makes its own."
    )
    chain: bool = Field(
        False, description="Whether each record in the file carries the hash of the one before, for authz audit verify."
    )

    fail_closed: bool = Field(
        False, description="Whether nobody is let in while records can't be kept: 503 until they can."
    )

    @property
    def file(self) -> str | None:
        """The file that records go to, `None` where they go elsewhere or nowhere."""
        return None if self.sink in {"stdout", "otlp", "off"} else self.sink

    @field_validator("sink")
    @classmethod
    def _by_one_name(cls, sink: str) -> str:
        """Take other names of standard output for it: a worker would begin a file beside `/dev/stdout`."""
        return "stdout" if sink in {"-", "/dev/stdout"} else sink

    @model_validator(mode="after")
    def _closed_on_all(self) -> RecordSettings:
        """Refuse shares of denials too: by their records it is seen that records can be kept again."""
        if self.fail_closed and (self.sink == "off" or (self.allow, self.deny, self.redirect) != (1.0, 1.0, 1.0)):
            raise ValueError("record.fail_closed needs every decision on record: a sink, and no shares below 1.0")
        return self

    @model_validator(mode="after")
    def _chained_in_a_file(self) -> RecordSettings:
        if self.chain and self.file is None:
            raise ValueError("record.chain needs record.sink to be a file")
        return self


class OtlpSettings(_Section):
    """Where metrics, traces and, with record.sink: otlp, records are sent.

    Headers come from `OTEL_EXPORTER_OTLP_HEADERS`, for they hold tokens.
    """

    endpoint: str | None = Field(
        None,
        pattern=r"^https?://[^\s/@?#]+(/[^\s@?#]*)?$",
        description="Base URL of an OTLP/HTTP collector, http://collector:4318; needs the extra otlp.",
    )
    interval: Duration = Field(15.0, ge=0.1, le=3600, description="How often metrics are sent; spans wait a second.")


class Settings(_Section):
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
