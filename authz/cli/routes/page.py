"""What is exposed, as one page of HTML: nothing is fetched, no script runs, every text is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from authz.cli.routes.drift import ABOUT
from authz.cli.routes.report import COLUMNS, cells, summary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authz.cli.routes.gathering import Exposing

_HEAD = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Routes and how they are protected</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; }
caption { font-weight: 600; text-align: start; padding-block: .5rem; }
th, td { border: 1px solid; padding: .3rem .5rem; text-align: start; vertical-align: top; }
tbody th { font-family: ui-monospace, monospace; font-weight: 600; }
</style>
</head>
<body>
<main>
<h1>Routes and how they are protected</h1>
"""


def page(shown: Exposing) -> str:
    """Return the whole page."""
    parts = [_HEAD, f"<p>{escape(summary(shown))}</p>\n"]
    parts += _table("Routes", COLUMNS, (cells(row) for row in shown.rows))
    if shown.drift:
        found = ((f"{each.method or '*'} {each.path}", each.found, ABOUT[each.found]) for each in shown.drift)
        parts += _table("Policies and the API", ("Operation or route", "Found", "Meaning"), found)
    return "".join([*parts, "</main>\n</body>\n</html>"])


def _table(caption: str, columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> list[str]:
    heads = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    return [
        f'<div class="wide" role="region" aria-label="{caption}" tabindex="0">\n',
        f"<table>\n<caption>{caption}</caption>\n",
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n",
        *map(_row, rows),
        "</tbody>\n</table>\n</div>\n",
    ]


def _row(row: tuple[str, ...]) -> str:
    first, *others = map(escape, row)
    return f'<tr><th scope="row">{first}</th>{"".join(f"<td>{each}</td>" for each in others)}</tr>\n'
