"""Policies: how they are watched and when they come into force, and those that are only compared with them.

Where they are (`policies`) stands at the top, in `process`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from authz.config.settings.section import Section, Share
from authz.config.values import Duration, Size


class ReloadSettings(Section):
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


class CandidateSettings(Section):
    """Policies that may come into force one day, compared with those that are on real requests; they answer nobody."""

    policies: tuple[Path, ...] = Field((), description="Folders or files of policies to compare; none: no comparing.")
    share: Share = Field(
        1.0, description="Share of requests that is compared, 0 to 1, by the hash of the decision's id."
    )
