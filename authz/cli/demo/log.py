"""The service's log, told to the person at the terminal: what changed, and what is wrong with a policy."""

from __future__ import annotations

import json
from typing import Any

from authz.words import counted


def shown(line: str) -> str:
    """Return what a line of the log says to a person; empty where it says nothing worth showing."""
    event = _read(line)
    if event is None:
        return line
    faults = event.get("faults", [])
    if faults:
        return "\n".join(
            [f"policies refused, generation {event.get('generation', 0)} stays in force:", *map(str, faults)]
        )
    if event.get("generation") and "files" in event:
        return f"policies in force: generation {event['generation']}, {counted(event['files'], 'file')}"
    return str(event.get("message", "")) if event.get("level") in {"warning", "error", "critical"} else ""


def admin_port(line: str) -> int | None:
    """Return the admin port that a line of the log names; `None` where it names none."""
    port = (_read(line) or {}).get("admin_port")
    return port if isinstance(port, int) else None


def _read(line: str) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None
