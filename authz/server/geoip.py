"""Where addresses are: `client.geo`, from MaxMind files that are exchanged while this runs.

A file is read whole into memory, so that a lookup does no I/O and nobody can change it underneath. Its stamp (time,
size, inode) is compared now and then; a new one takes the place of the old only if it can be opened and is of the kind
that is wanted. What a file does not say, or says badly, is not known, and reading it is an error to an expression.
"""

from __future__ import annotations

import io
import logging
import re
import threading
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from authz.errors import Unavailable
from authz.files import whole
from authz.model import Location
from authz.store import Loaded

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from maxminddb.reader import Reader

    from authz.config.settings import GeoipSettings
    from authz.store import Snapshot, StoreEvent

_log = logging.getLogger(__name__)

CACHED = 8192
"""Addresses whose place is remembered."""

LARGEST = 512 << 20
"""Bytes of a file that are read into memory."""

_COUNTRY = re.compile("[A-Z]{2}")
_TELLS = {"country": ("Country", "City", "Enterprise"), "asn": ("ASN", "ISP", "Enterprise")}
"""What the types of files begin or end with that tell it: `GeoLite2-Country`, `DBIP-ASN-Lite (...)`."""

_SETTINGS = {"country": "country", "asn": "asn", "organization": "asn"}
"""Which file says which field of `client.geo`."""

_Stamp = tuple[int, int, int]


class _Opened(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One file as it was read."""

    reader: Reader
    stamp: _Stamp
    kind: str
    built: datetime


class GeoIp:
    """Says where addresses are. A file that can't be used raises `Unavailable` at the start; later it is only told."""

    def __init__(self, settings: GeoipSettings, *, interval: float, fault: Callable[[BaseException], None]) -> None:
        self._paths = {
            name: path for name, path in (("country", settings.country), ("asn", settings.asn)) if path is not None
        }
        self._interval = interval
        self._fault = fault
        self._refused: dict[str, tuple[_Stamp, str]] = {}
        self._files = {name: _opened(name, path) for name, path in self._paths.items()}
        self._find = self._finder()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="geoip", daemon=True)

    def locate(self, address: str) -> Location | None:
        """Return what is known of where an address is, `None` where no file is configured."""
        return self._find(address) if self._files else None

    def start(self) -> None:
        """Begin to look for new files."""
        if self._paths:
            self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> None:
        """Take up every file that was exchanged; one that can't be used is told once, and the last good one stays."""
        for name, path in self._paths.items():
            self._look(name, path)

    def status(self) -> Mapping[str, object]:
        """Say which files are in use, and why a newer one is not."""
        return {
            name: {
                "file": str(path),
                "type": self._files[name].kind,
                "built": _moment(self._files[name].built),
                "refused": self._refused.get(name, (None, ""))[1],
            }
            for name, path in self._paths.items()
        }

    def missing(self, fields: Collection[str]) -> tuple[str, ...]:
        """Return the settings that are not made, of those that say these fields of `client.geo`."""
        wanted = {setting for field, setting in _SETTINGS.items() if field in fields or "" in fields}
        return tuple(f"geoip.{name}" for name in sorted(wanted - self._paths.keys()))

    def built(self) -> dict[tuple[str], float]:
        """Return when each file in use was built, in seconds since the epoch."""
        return {(name,): opened.built.timestamp() for name, opened in self._files.items()}

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            self.look()

    def _look(self, name: str, path: Path) -> None:
        try:
            stamp = _stamp(path)
        except OSError:
            stamp = (0, 0, 0)
        if stamp == self._files[name].stamp or stamp == self._refused.get(name, (None, ""))[0]:
            return
        try:
            opened = _opened(name, path)
        except Unavailable as error:
            self._refused[name] = stamp, str(error)
            _log.error("a GeoIP file can't be used, the last good one stays", extra={"fields": {"error": str(error)}})
            return
        self._refused.pop(name, None)
        self._files = {**self._files, name: opened}
        self._find = self._finder()
        _log.info("a GeoIP file is in use", extra={"fields": {"file": str(path), "built": _moment(opened.built)}})

    def _finder(self) -> Callable[[str], Location]:
        """Return what finds addresses in the files that are open now, and remembers nothing of others."""
        country, asn = self._files.get("country"), self._files.get("asn")

        def find(address: str) -> Location:
            place, network = self._record(country, address), self._record(asn, address)
            return Location(
                country=_country(place.get("country")),
                asn=_number(network.get("autonomous_system_number")),
                organization=_text(network.get("autonomous_system_organization")),
            )

        return lru_cache(CACHED)(find)

    def _record(self, opened: _Opened | None, address: str) -> dict[str, Any]:
        """Return what a file says of an address, nothing where it says nothing or is damaged."""
        if opened is None or not address:
            return {}
        try:
            record = opened.reader.get(address)
        except Exception as error:  # noqa: BLE001 - a damaged file raises anything; then the place is not known
            if not isinstance(error, ValueError) or isinstance(error, UnicodeError):  # an IPv6 address in an IPv4 file
                self._fault(error)
            return {}
        return record if isinstance(record, dict) else {}


def warning(geoip: GeoIp, snapshot: Callable[[], Snapshot | None]) -> Callable[[StoreEvent], None]:
    """Return what tells, of new policies, that they read of callers what no file says: an error where it is needed."""

    def told(event: StoreEvent) -> None:
        current = snapshot() if isinstance(event, Loaded) else None
        missing = geoip.missing(current.policies.keys_of("client.geo")) if current else ()
        if missing:
            about = {"settings": missing}
            _log.warning("policies read where callers are, and no file says it: they deny", extra={"fields": about})

    return told


def _opened(name: str, path: Path) -> _Opened:
    """Read a file; raise `Unavailable` where it is none, or not of the kind that is wanted."""
    try:
        import maxminddb  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise Unavailable(f"geoip.{name} needs the extra: pip install 'envoy-cel-authz[geoip]'") from error
    try:
        stamp = _stamp(path)
        content = whole(path, LARGEST)
        reader = maxminddb.open_database(io.BytesIO(content), maxminddb.MODE_FD)
        about = reader.metadata()
        kind, built = str(about.database_type), datetime.fromtimestamp(about.build_epoch, UTC)
    except OSError as error:
        raise Unavailable(f"can't read {path}: {error.strerror}") from error
    except Exception as error:
        raise Unavailable(f"{path} is no MaxMind DB file, or a part of one") from error
    if not any(word in kind for word in _TELLS[name]):
        raise Unavailable(f"{path} is a {kind!r}: it tells no {name}")
    return _Opened(reader=reader, stamp=stamp, kind=kind, built=built)


def _stamp(path: Path) -> _Stamp:
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _moment(built: datetime) -> str:
    return f"{built:%Y-%m-%dT%H:%M:%SZ}"


def _country(record: object) -> str | None:
    code = record.get("iso_code") if isinstance(record, dict) else None
    return code if isinstance(code, str) and _COUNTRY.fullmatch(code) else None


def _number(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < 2**32 else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value and "\0" not in value else None
