"""What the store tells, passed on: a line in the log, a number in the metrics, a record beside the decisions."""

from __future__ import annotations

import gc
import logging
from collections import Counter
from typing import TYPE_CHECKING

from authz.store import Loaded, Pinned, Refused, StoreEvent, Unchanged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_RECORDED = 10
"""Faults that a record names; the log has all of them."""

YOUNG = 5_000
"""New objects after which the garbage collector looks at them; Python's own 700 are a few requests, and no garbage."""

GENERATIONS = (2, 40)
"""How often it passes over those that it let pass, before it looks at them again, and at all of them: by default it
saves up fifty thousand for one look, which takes twenty milliseconds when policies are new and all is made anew."""

_log = logging.getLogger(__name__)


class PolicyEvents:
    """Takes note of every store event. `reloads` counts them by result; `record` gets those that change something."""

    def __init__(self, record: Callable[[Mapping[str, object]], None]) -> None:
        self._record = record
        self.reloads: Counter[tuple[str]] = Counter()

    def __call__(self, event: StoreEvent) -> None:
        """Take note of one event."""
        match event:
            case Loaded():
                self._loaded(event)
            case Refused():
                self._refused(event)
            case Unchanged():
                self.reloads["unchanged",] += 1
                _log.info("policies are what they were", extra={"fields": {"generation": event.generation}})
            case Pinned():
                _log.warning(
                    "these are mounted by themselves (subPath?) and will never change: mount their folder",
                    extra={"fields": {"paths": list(event.paths)}},
                )

    def _loaded(self, event: Loaded) -> None:
        self.reloads["loaded",] += 1
        about = {"generation": event.generation, "digest": event.digest, "commit": event.commit, "files": event.files}
        _log.info("policies are in force", extra={"fields": {**about, "seconds": round(event.seconds, 3)}})
        self._record({"event": "policies_loaded", **about})
        if event.generation == 1:
            # Spares the garbage collector what is there to stay. Once only: what later generations leave behind must
            # be collectable.
            gc.collect()
            gc.freeze()
            gc.set_threshold(YOUNG, *GENERATIONS)

    def _refused(self, event: Refused) -> None:
        result = "tests_failed" if event.tests_failed else "refused"
        self.reloads[result,] += 1
        faults = [str(fault) for fault in event.faults]
        why = "do not pass their tests" if event.tests_failed else "can't be served"
        stays = "the last good ones stay in force" if event.generation else "everything is denied"
        _log.error("policies %s, %s", why, stays, extra={"fields": {"generation": event.generation, "faults": faults}})
        record = {"event": "policies_refused", "generation": event.generation, "faults": len(faults)}
        # Without the lines of policies that the log shows with their carets.
        first = [fault.partition("\n")[0] for fault in faults[:MOST_RECORDED]]
        self._record({**record, "result": result, "first": first})
