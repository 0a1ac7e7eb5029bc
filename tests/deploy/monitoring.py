"""What alerts and boards ask, as queries Prometheus takes, and the names of the metrics they ask for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

BOARD = Path(__file__).parents[2] / "deploy" / "monitoring" / "decisions.json"
RATE_INTERVAL = "10s"

_NAME = re.compile(r"\bauthz_[a-z_]+\b")
_VARIABLES = {"$__rate_interval": RATE_INTERVAL, '"$job"': '".+"'}


def board() -> dict[str, Any]:
    """Read the board."""
    read: dict[str, Any] = json.loads(BOARD.read_text())
    return read


def board_queries() -> dict[str, str]:
    """Return every query of the board by its panel and letter, variables filled in as Grafana would."""
    queries = {
        f"{panel['title']}/{target['refId']}": target["expr"]
        for panel in board()["panels"]
        for target in panel["targets"]
    }
    return {name: _filled(query) for name, query in queries.items()}


def annotation_queries() -> list[str]:
    """Return the queries whose results are lines over the panels."""
    return [_filled(one["expr"]) for one in board()["annotations"]["list"]]


def metrics(query: str) -> set[str]:
    """Return the names of ours in a query."""
    return set(_NAME.findall(query))


def _filled(query: str) -> str:
    for variable, value in _VARIABLES.items():
        query = query.replace(variable, value)
    return query
