"""What a running service explains, for the console: a request somebody typed, or a decision by its id.

A request is tried on the policies in force and the counts of this moment, and charged to nobody. A decision is looked
for in the files that this process and the other workers write their records to. Only looking: nothing is changed, and
no credential is told.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from itertools import chain, zip_longest
from typing import TYPE_CHECKING

from authz.errors import Unavailable
from authz.server.records import records_with, stretches
from authz.server.trying import Claimed, Trying
from authz.testing.asking import Asked, message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from authz.engine import Limiter, Snapshot
    from authz.model import Request
    from authz.policy import Explanation, Secrets
    from authz.server.lines import Line

MOST_SEARCHED = 512 * 2**20
"""Bytes of records that are searched for one decision, the newest first."""


class Explainer:
    """Explains by the policies in force and what `limiter` has counted.

    `logs` are where workers write their records, if those are files: any of them may have made a decision.
    """

    def __init__(
        self,
        snapshot: Callable[[], Snapshot | None],
        secrets: Secrets,
        find: Callable[[Request], str],
        limiter: Limiter,
        logs: Sequence[Path],
    ) -> None:
        self._snapshot = snapshot
        self._secrets = secrets
        self._find = find
        self._limiter = limiter
        self._logs = logs

    def explain(self, query: Sequence[tuple[str, str]]) -> Explanation:
        """Explain what a query names: `id`, or `method` and `url` with `header`, `data`, `as`, `claims`, `ip`, `at`.

        Raises `ValueError` for a query that cannot be read, `LookupError` for a decision that is not there, and
        `Unavailable` where there are no policies or nobody says who is calling.
        """
        snapshot = self._snapshot()
        if snapshot is None:
            raise Unavailable("no policies are in force")
        trying = Trying(snapshot.policies, self._find, self._limiter)
        asked = dict(query)
        if "id" in asked:
            explanation = trying.explain_record(self._record(asked["id"]), self._secrets)
        else:
            explanation = self._tried(trying, query)
        if explanation is None:
            raise ValueError("no policy was asked: the request is refused before any is")
        return explanation

    def _tried(self, trying: Trying, query: Sequence[tuple[str, str]]) -> Explanation | None:
        asked = dict(query)
        if not asked.get("method") or not asked.get("url"):
            raise ValueError("name a method and a url, or the id of a decision")
        moment = _moment(asked.get("at", ""))
        request = Asked(
            method=asked["method"],
            url=asked["url"],
            headers=tuple(_header(text) for name, text in query if name == "header" and text.strip()),
            body=asked["data"].encode() if asked.get("data") else None,
            ip=asked.get("ip") or "127.0.0.1",
            time=moment,
        )
        claimed = Claimed(asked["as"], _object(asked.get("claims", ""))) if asked.get("as") else None
        _, outcome = trying.request(message(request), claimed, moment)
        return trying.explain(outcome, self._secrets)

    def _record(self, decision: str) -> Line:
        if not self._logs:
            raise LookupError("this service keeps no records in a file (record.sink)")
        for path in _newest(self._logs):
            for stretch in stretches(path):
                for line in records_with(stretch, decision):
                    return line
        names = ", ".join(log.name for log in self._logs)
        raise LookupError(f"{names} {'has' if len(self._logs) == 1 else 'have'} no decision {decision[:64]}")


def _newest(logs: Sequence[Path]) -> Iterator[Path]:
    """Yield logs, then what was rotated away of them, the newest of each first, up to as much as is searched."""
    searched = 0
    for path in chain.from_iterable(zip_longest(*map(_rotated, logs))):
        if path is not None and path.is_file() and searched < MOST_SEARCHED:
            searched += path.stat().st_size
            yield path


def _rotated(log: Path) -> list[Path]:
    return [log, *sorted(log.parent.glob(f"{log.name}.*"), key=lambda path: (len(path.name), path.name))]


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise ValueError(f'"{text[:64]}" is no header: write "name: value"')
    return name.strip().lower(), value.strip()


def _object(text: str) -> dict[str, object]:
    try:
        value = json.loads(text) if text.strip() else {}
    except RecursionError:
        raise ValueError("the claims are nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("claims are a JSON object")
    return value


def _moment(text: str) -> float:
    if not text:
        return time.time()
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
