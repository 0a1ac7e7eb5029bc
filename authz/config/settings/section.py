"""What every section of the settings is: frozen, and nothing in it but what it names.

A value that is refused is not repeated in the message, for it may be a secret; no number is infinite or missing.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
"""A part of all requests, 0 to 1."""


class Section(BaseModel):
    """Settings that belong together; a field is a setting."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)
