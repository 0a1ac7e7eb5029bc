"""Key sets that live elsewhere, fetched by a thread of their own and kept while their issuer is away.

One fetch at a time and per set; the request path only reads the last good one. A set that can't be fetched, can't
be read or has no usable key never replaces one that could: it is used until `max_stale`, then there are none, and
who presents a token is told that we are at fault (503). A token that names an unknown key asks for one early fetch
per `COOL_DOWN`, however many such tokens come.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Protocol

import msgspec

from authz.errors import Unavailable
from authz.identity.fetch import Rules, fetch
from authz.identity.keys import KeySet, read_keys
from authz.identity.strict import read_object

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)

COOL_DOWN = 30.0
"""Seconds between two fetches that unknown keys asked for."""

FIRST_RETRY = 1.0
"""Seconds after a failed fetch; doubled up to the refresh interval."""

DISCOVERY = "/.well-known/openid-configuration"


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a key set is, and how long it may be used. `refresh` and `max_stale` are seconds.

    Without a `uri` the issuer's discovery document (OpenID Connect Discovery 1.0, section 4) names it.
    """

    uri: str | None
    issuer: str
    refresh: float = 300.0
    max_stale: float = 86_400.0
    rules: Rules = Rules()


class Fetch(Protocol):
    """Gets a document over HTTP; raises `Unavailable`."""

    def __call__(self, uri: str, rules: Rules, /) -> bytes:
        """Return the body of a 200 answer."""


class RemoteKeys:
    """The keys at one origin. `current` and `unknown` are the request path's; `run` is the refresher's."""

    def __init__(self, origin: Origin, *, clock: Callable[[], float], get: Fetch = fetch) -> None:
        self.origin = origin
        self._clock = clock
        self._get = get
        self._keys: KeySet | None = None
        self._fetched_at = 0.0
        self._asked_at = float("-inf")
        self._failures = 0
        self._wake = threading.Event()
        self._tried = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="jwks", daemon=True)
        self.fetches = 0
        self.error = ""

    def start(self) -> None:
        """Fetch now, and again every `refresh` seconds."""
        self._thread.start()

    def stop(self) -> None:
        """Fetch no more; the keys that are there stay for who still asks."""
        self._stopping = True
        self._wake.set()

    def wait(self, patience: float) -> None:
        """Wait until the first fetch has ended, well or not, for at most so many seconds."""
        self._tried.wait(patience)

    def current(self, now: float) -> KeySet:
        """Return the last good keys; raises `Unavailable` where there are none, or where they are too old."""
        if self._keys is None:
            raise Unavailable("the provider's keys have not been fetched yet")
        if now - self._fetched_at > self.origin.max_stale:
            raise Unavailable("the provider's keys are too old to be relied on")
        return self._keys

    def unknown(self, kid: str, now: float) -> None:  # noqa: ARG002 - which key it is changes nothing: one fetch gets all
        """Ask for an early fetch, once per cool-down."""
        if now - self._asked_at >= COOL_DOWN:
            self._asked_at = now
            self._wake.set()

    def age(self, now: float) -> float | None:
        """Return the seconds since the last good fetch; `None` before the first."""
        return None if self._keys is None else now - self._fetched_at

    @property
    def failing(self) -> bool:
        """Say whether the last fetch brought no keys."""
        return self._failures > 0

    def status(self, now: float) -> dict[str, object]:
        """Say where the keys come from and how they are."""
        age = self.age(now)
        return {
            "uri": self.origin.uri or self.origin.issuer.rstrip("/") + DISCOVERY,
            "keys": 0 if self._keys is None else len(self._keys.keys),
            "age_seconds": None if age is None else round(age, 3),
            "fetches": self.fetches,
            "error": self.error,
        }

    def refresh(self) -> bool:
        """Fetch once; say whether the keys in force are fresh now."""
        self.fetches += 1
        try:
            keys = read_keys(self._get(self._uri(), self.origin.rules))
        except Exception as error:  # noqa: BLE001 - whatever an issuer sends, the refresher lives
            self._fail(str(error) or type(error).__name__)
            return False
        self._fetched_at = self._clock()
        if self._keys is None or keys.fingerprint != self._keys.fingerprint:
            self._keys = keys  # only then: tokens verified with an unchanged set stay verified
        if self._failures:
            _log.info("keys can be fetched again", extra={"fields": {"issuer": self.origin.issuer}})
        self._failures = 0
        self.error = "; ".join(keys.skipped)
        return True

    def _fail(self, error: str) -> None:
        """Take note of a failure; what goes on failing in the same way is told once."""
        if error != self.error:
            _log.warning("keys can't be fetched", extra={"fields": {"issuer": self.origin.issuer, "error": error}})
        self._failures += 1
        self.error = error

    def _uri(self) -> str:
        if self.origin.uri is not None:
            return self.origin.uri
        document = read_object(self._get(self.origin.issuer.rstrip("/") + DISCOVERY, self.origin.rules))
        uri = document.get("jwks_uri")
        if document.get("issuer") != self.origin.issuer or not isinstance(uri, str):
            raise ValueError("the discovery document is of another issuer, or names no jwks_uri")
        return uri

    def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            self.refresh()
            self._tried.set()
            self._wake.wait(self._pause())

    def _pause(self) -> float:
        if not self._failures:
            return self.origin.refresh
        return min(self.origin.refresh, FIRST_RETRY * 2.0 ** min(self._failures - 1, 16))
