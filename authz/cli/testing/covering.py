"""Coverage for people: how much of the policies tests have shown, and each thing they have not, with its place."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from authz.cli.reports import Report, report

if TYPE_CHECKING:
    from authz.testing import Coverage


def pretty(coverage: Coverage) -> str:
    """Return a line per file and in all, and what was not seen, with carets."""
    files = {file: list(parts) for file, parts in groupby(coverage.parts, key=lambda part: part.place.file)}
    lines = [_line(file, type(coverage)(parts=tuple(parts))) for file, parts in files.items()]
    lines.append(_line("in all", coverage))
    missing = report(tuple(coverage.missing()), Report.PRETTY)
    return "\n".join([*lines, *([missing] if missing else [])])


def _line(name: str, coverage: Coverage) -> str:
    (hit, parts), (gone, ways) = coverage.points, coverage.ways
    return f"{name}: {coverage.percent:.1f} % ({hit} of {parts} rules, limits and validations; {gone} of {ways} ways)"


def data(coverage: Coverage) -> dict[str, Any]:
    """Return what programs may want."""
    (hit, parts), (gone, ways) = coverage.points, coverage.ways
    missing = [
        {"file": one.file, "line": one.line, "column": one.column, "message": one.message} for one in coverage.missing()
    ]
    return {
        "percent": round(coverage.percent, 2),
        "parts": {"seen": hit, "all": parts},
        "ways": {"seen": gone, "all": ways},
        "missing": missing,
    }
