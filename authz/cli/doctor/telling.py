"""What a service says of itself (`/status` and `/api/state` of the admin port), judged. Pure.

A key that an older or newer version does not have is not judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authz.cli.doctor.finding import Finding, fine, odd, wrong

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STALE = 86_400.0
"""Seconds after which keys that could not be fetched again are worth a word."""


def told(status: Mapping[str, Any], checks: Mapping[str, int]) -> Iterator[Finding]:
    """Yield what a service's own words mean; `checks` counts its answers by reason."""
    yield _ready(status)
    yield from _workers(status)
    yield from _policies(status)
    yield from _transport(status)
    yield from _limiter(status.get("limiter") or {})
    for provider, keys in (status.get("jwks") or {}).items():
        yield _keys(provider, keys)
    for name, file in (status.get("geoip") or {}).items():
        if file.get("refused"):
            yield odd(
                f"geoip.{name}", f"a newer file is refused: {file['refused']}", "exchange it for one that is whole"
            )
    yield from _records(status)
    yield from _answers(checks)


def _ready(status: Mapping[str, Any]) -> Finding:
    if status.get("ready"):
        build = f", {status['build']}," if "build" in status else ""
        return fine("ready", f"version {status.get('version', '?')}{build} decides checks")
    what = "denies everything" if not status.get("generation") else "says that no callers should be sent here"
    return wrong("ready", f"the service {what}", "see policies and keys below, and its log: it may be going down")


def _workers(status: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield the other workers that are not ready; this one has its own line."""
    for worker in status.get("workers") or ():
        if not worker.get("ready") and worker.get("worker") != status.get("worker"):
            about = f"worker {worker.get('worker')}"
            yield wrong(about, "is not ready, or does not answer", "its lines of the log say why, worker ended too")


def _policies(status: Mapping[str, Any]) -> Iterator[Finding]:
    generation, age = status.get("generation", 0), status.get("policy_age_seconds")
    if generation:
        digest = str(status.get("policy_digest", ""))[:12]
        yield fine("policies", f"generation {generation}, loaded {spoken(age or 0)} ago, digest {digest}")
    else:
        yield wrong("policies", "none are in force: every request is denied", "authz check the folder it serves")
    for fault in status.get("policy_faults") or ():
        what = f"what the folders hold can't be served: {str(fault).splitlines()[0]}"
        yield wrong("policies", what, "mend it (authz check); what was in force before stays in force until then")


def _transport(status: Mapping[str, Any]) -> Iterator[Finding]:
    reason = status.get("transport_fallback")
    if reason:
        remedy = "install a grpcio of the range that is claimed, or set transport: aio if it is meant"
        yield odd("transport", f"the slower transport serves: {reason}", remedy)
    elif "transport" in status:
        yield fine("transport", f"{status['transport']}, on {', '.join(status.get('listen') or ())}")


def _limiter(limiter: Mapping[str, Any]) -> Iterator[Finding]:
    if limiter.get("store") == "memory":
        remedy = "with more than one process set redis.url: each counts for itself now"
        yield odd("limits", "are counted in memory, by each process alone", remedy)
    elif limiter and not limiter.get("connected"):
        error = limiter.get("last_error") or "no answer"
        yield wrong("limits", f"Redis is not connected: {error}", "limits answer by their on_error until it is back")
    elif limiter.get("breaker", "closed") != "closed":
        error = limiter.get("last_error") or "it was too slow"
        remedy = "look at Redis, or raise redis.timeout; limits answer by their on_error until then"
        yield wrong("limits", f"Redis is not asked for now: {error}", remedy)
    elif limiter:
        yield fine("limits", f"are counted in {limiter.get('url', 'Redis')}")


def _keys(provider: str, keys: Mapping[str, Any]) -> Finding:
    about, age, error = f"keys of {provider}", keys.get("age_seconds"), keys.get("error")
    if not keys.get("keys"):
        what = f"none were fetched: {error or 'not yet'}"
        return wrong(about, what, f"can this machine reach {keys.get('uri')}? nobody is identified by it until then")
    if error:
        what = f"can't be fetched again: {error}; those in use are {spoken(age or 0)} old"
        return odd(about, what, f"can this machine reach {keys.get('uri')}? they end after max_stale")
    return fine(about, f"{keys['keys']}, fetched {spoken(age or 0)} ago")


def _records(status: Mapping[str, Any]) -> Iterator[Finding]:
    if "records" not in status:
        return
    records = status["records"]
    if records is None:
        yield odd("records", "no decision is on record (record.sink: off)", "set record.sink: stdout or a file")
    elif records.get("dropped"):
        remedy = "is the disk full or the reader of standard output slow? answers do not wait for records"
        yield wrong(
            "records", f"{records['dropped']} of {records['dropped'] + records['written']} were dropped", remedy
        )
    else:
        yield fine("records", f"{records['written']} written, none dropped")


def _answers(checks: Mapping[str, int]) -> Iterator[Finding]:
    """Yield what answers since the start say of the service itself."""
    for reason, what, remedy in _OURS:
        if count := checks.get(reason, 0):
            yield odd("answers", f"{count} of {sum(checks.values())} checks were denied {what}", remedy)


_OURS = (
    ("overloaded", "because too many were under way", "more workers or replicas, or a higher check.max_in_flight"),
    ("unrecorded", "because records were not taken (record.fail_closed)", "see records above, and the log"),
    ("deadline", "because time was up", "raise the timeout in Envoy's filter, or see what is slow: /metrics"),
    ("internal_error", "because of a fault of ours", "the log has it: please report it"),
    ("malformed", "because they were none", "who else speaks to this port? authz envoy --check Envoy's configuration"),
    ("rule_error", "because a rule had no value", "authz explain one of them: the record says which rule"),
    ("identity_unavailable", "because nobody could say who is calling", "see the keys above, and who is asked"),
)


def spoken(seconds: float) -> str:
    """Return a time as people say it: `5 min`."""
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
