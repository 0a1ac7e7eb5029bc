"""Records, metrics and traces: which of them are kept, and where they go."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from authz.config.settings.section import Section, Share
from authz.config.values import Duration


class RecordSettings(Section):
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


class OtlpSettings(Section):
    """Where metrics, traces and, with record.sink: otlp, records are sent.

    Headers come from `OTEL_EXPORTER_OTLP_HEADERS`, for they hold tokens.
    """

    endpoint: str | None = Field(
        None,
        pattern=r"^https?://[^\s/@?#]+(/[^\s@?#]*)?$",
        description="Base URL of an OTLP/HTTP collector, http://collector:4318; needs the extra otlp.",
    )
    interval: Duration = Field(15.0, ge=0.1, le=3600, description="How often metrics are sent; spans wait a second.")
