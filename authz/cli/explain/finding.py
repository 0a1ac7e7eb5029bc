"""A decision by its id: in logs of records, or explained by a service that is running."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from authz.cli.admin import page
from authz.errors import Unavailable
from authz.server.records import UnreadableError, records_with, stretches

if TYPE_CHECKING:
    from pathlib import Path

    from authz.server.lines import Line


def recorded(decision: str, log: Path) -> Line:
    """Return the record of a decision; raise `UnreadableError` where the log has none."""
    for stretch in stretches(log):
        for line in records_with(stretch, decision):
            return line
    raise UnreadableError(f"{log} has no decision {decision}")


def asked(decision: str, admin: str) -> dict[str, Any]:
    """Return the explanation of a running service; raise `Unavailable` where it gives none."""
    try:
        status, content = page(admin, f"/api/explain?id={quote(decision)}")
    except Unavailable as error:
        raise Unavailable(f"{error}; name the records with --log") from error
    if status != HTTPStatus.OK:
        elsewhere = "; name records that are kept elsewhere with --log" if status == HTTPStatus.NOT_FOUND else ""
        raise Unavailable(f"{admin}: {content.decode(errors='replace').strip()}{elsewhere}")
    explained: dict[str, Any] = json.loads(content)
    return explained


def as_explanation(data: dict[str, Any]) -> Any:  # noqa: ANN401 - the type is the library's
    """Read back what a service explained."""
    from authz.policy import Explanation  # noqa: PLC0415 - see the package's docstring

    return msgspec.convert(data, Explanation)
