"""Who is calling, verified."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from authz.model.reasons import Reason


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who is calling, verified; `ANONYMOUS` when nobody proved anything.

    `error` is set when a credential was presented and is bad: the caller is then nobody, and is told so. `detail` says
    why, to the operator only, and never repeats the credential. `challenge` is what a 401 carries in
    `WWW-Authenticate`.
    """

    authenticated: bool = False
    provider: str = ""
    subject: str = ""
    issuer: str = ""
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    claims: Mapping[str, Any] = {}
    key_id: str = ""
    expires: float | None = None
    error: Reason | None = None
    challenge: str = ""
    detail: str = ""


ANONYMOUS = Identity()
