"""Policies that may come into force one day, asked beside those that are, about the same requests.

A candidate answers nobody and charges nothing. It is asked after the answer has been given, by a thread of its own
that works in small steps (`pacing`); outcomes wait for it in a queue with a bound, and those that find it full are
counted and let go. Whatever a candidate does, be it broken, slow or raising, stays here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from typing import TYPE_CHECKING

import msgspec

from authz.audit import in_share
from authz.audit.text import cut
from authz.content import Body
from authz.engine import refused
from authz.model import Reason
from authz.policy import Facts
from authz.server.comparing import DISAGREEMENTS, Comparison, Pair, compare, policies_said, said
from authz.server.disagreeing import Table
from authz.server.pacing import Pace
from authz.store import Loaded, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from authz.engine import Snapshot
    from authz.model import Decision, Location, Outcome
    from authz.store import PolicyStore, StoreEvent

    Waiting = tuple[Outcome, Snapshot, Snapshot]

MOST_WAITING = 256
"""Outcomes that may wait; each holds on to its request."""

MOST_BYTES = 16 * 2**20
"""Bytes of bodies that may wait with them."""

GATHER = 0.02
"""Seconds that the first outcome waits for others: waking a thread for each would cost more than comparing it."""

MOST_ERRORS = 3
"""Errors of expressions that are recorded of one disagreement."""

_log = logging.getLogger(__name__)


class Candidate:
    """An observer that asks a candidate too. `counts` has what came of it, by `Comparison`.

    `live` and `candidate` are the policies of either side, `share` is that of the requests that are looked at, by the
    hash of the decision's id. `record` is told of each disagreement, `fault` of what the candidate raises.
    """

    def __init__(
        self,
        *,
        store: PolicyStore,
        live: Callable[[], Snapshot | None],
        share: float,
        locate: Callable[[str], Location | None],
        record: Callable[[Mapping[str, object]], None],
        fault: Callable[[BaseException], None],
    ) -> None:
        self._store = store
        self._live = live
        self._share = share
        self._locate = locate
        self._record = record
        self._fault = fault
        self._lock = threading.Lock()
        self._waiting: deque[Waiting] = deque()
        self._bytes = 0
        self._ready = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="candidate", daemon=True)
        self._table = Table()
        self.counts: Counter[tuple[str]] = Counter()

    def __call__(self, outcome: Outcome) -> None:
        """Have an outcome looked at, if it is among the share and there is room."""
        if outcome.request is None or not in_share(outcome.id, self._share):
            return
        candidate, live = self._store.current, self._live()
        size = len(outcome.request.body)
        with self._lock:
            full = len(self._waiting) >= MOST_WAITING or self._bytes + size > MOST_BYTES
            if full or candidate is None or live is None or live.generation != outcome.generation:
                self.counts[Comparison.SKIPPED,] += 1
                return
            self._bytes += size
            self._waiting.append((outcome, live, candidate))
        if not self._ready.is_set():
            self._ready.set()

    def start(self) -> None:
        """Begin to compare; the candidate is read on the thread that watches it, so that nobody waits for that."""
        self._thread.start()
        self._store.start()
        self._store.reload()

    def stop(self) -> None:
        """Compare no more."""
        self._store.stop()
        self._stopping.set()
        self._ready.set()
        self._thread.join()

    def reload(self) -> None:
        """Look at the candidate now."""
        self._store.reload()

    @property
    def failing(self) -> bool:
        """Return whether what the folders hold can't be compared."""
        return bool(self._store.faults)

    def status(self) -> dict[str, object]:
        """Say what the candidate is, why what its folders hold is not, and what came of comparing."""
        current = self._store.current
        return {
            "generation": current.generation if current else 0,
            "policy_digest": current.policies.digest if current else "",
            "policy_age_seconds": round(time.time() - current.loaded_at, 3) if current else None,
            "policy_faults": [str(fault) for fault in self._store.faults],
            "share": self._share,
            "outcomes": {outcome.value: self.counts[outcome,] for outcome in Comparison},
        }

    def disagreements(self) -> dict[str, object]:
        """Return how the two disagree since either of them changed, what happens most first."""
        with self._lock:
            return self._table.shown()

    def _run(self) -> None:
        pace, pair = Pace(), None
        known: tuple[Snapshot, Snapshot] | None = None
        while not self._stopping.is_set():
            self._ready.wait()
            self._stopping.wait(GATHER)
            self._ready.clear()
            while (waiting := self._next()) is not None:
                outcome, *sides = waiting
                if pair is None or known is None or known[0] is not sides[0] or known[1] is not sides[1]:
                    known, pair = (sides[0], sides[1]), Pair(sides[0].policies, sides[1].policies)
                    self._begin()
                self._look(outcome, pair, sides[1])
                pace()

    def _next(self) -> Waiting | None:
        with self._lock:
            if not self._waiting or self._stopping.is_set():
                return None
            waiting = self._waiting.popleft()
            request = waiting[0].request
            self._bytes -= len(request.body) if request is not None else 0
            return waiting

    def _begin(self) -> None:
        with self._lock:
            self._table = Table()

    def _look(self, outcome: Outcome, pair: Pair, candidate: Snapshot) -> None:
        """Compare one outcome, and tell of a disagreement."""
        try:
            comparison, sides = self._compared(outcome, pair, candidate)
        except Exception as error:  # noqa: BLE001 - nothing of a candidate may end the thread
            self._fault(error)
            comparison, sides = Comparison.UNDETERMINED, None
        with self._lock:
            self.counts[comparison,] += 1
            if sides is not None:
                self._table.add(comparison, outcome, said(sides[0]), said(sides[1]))
        if sides is not None:
            self._record(_event(comparison, outcome, sides, candidate))

    def _compared(
        self, outcome: Outcome, pair: Pair, candidate: Snapshot
    ) -> tuple[Comparison, tuple[Decision, Decision] | None]:
        """Return what came of it and, of a disagreement, what either side says."""
        request, was = outcome.request, policies_said(outcome)
        if request is None or was is None:
            return Comparison.UNDETERMINED, None
        identity = pair.caller(request, outcome.identity)
        if identity is None:
            return Comparison.UNDETERMINED, None
        facts = Facts(
            request=request,
            identity=identity,
            body=Body(request),
            client_ip=outcome.client_ip,
            locate=self._locate,
        )
        now = self._decided(facts, candidate)
        comparison = compare(was, now)
        return comparison, (was, now) if comparison in DISAGREEMENTS else None

    def _decided(self, facts: Facts, candidate: Snapshot) -> Decision:
        """Decide by the candidate; what raises would have been denied."""
        try:
            return candidate.policies.select(facts.request).decide(facts)
        except Exception as error:  # noqa: BLE001 - as the engine would
            self._fault(error)
            return refused(Reason.INTERNAL_ERROR)


def tell(event: StoreEvent) -> None:
    """Log what became of a candidate's folders; never as grave as what becomes of the live ones."""
    if isinstance(event, Loaded):
        about = {"generation": event.generation, "digest": event.digest, "files": event.files}
        _log.info("a candidate is compared", extra={"fields": about})
    elif isinstance(event, Refused):
        faults = [str(fault) for fault in event.faults]
        _log.warning("the candidate can't be compared as it is", extra={"fields": {"faults": faults}})


def _event(
    comparison: Comparison, outcome: Outcome, sides: tuple[Decision, Decision], candidate: Snapshot
) -> dict[str, object]:
    """Return what is recorded of a disagreement: by the decision's id it is beside its record."""
    was, now = sides
    return {
        "event": "candidate_disagrees",
        "id": outcome.id,
        "outcome": comparison,
        "generation": outcome.generation,
        "policy_digest": outcome.policy_digest,
        "live": said(was),
        "candidate": {
            **msgspec.structs.asdict(said(now)),
            "generation": candidate.generation,
            "policy_digest": candidate.policies.digest,
            "errors": list(_errors(now)),
        },
    }


def _errors(decision: Decision) -> Iterable[str]:
    return (cut(f"{one.rule}: {one.error}") for one in decision.errors[:MOST_ERRORS])
