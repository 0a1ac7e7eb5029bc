"""Where an address is, from files that are exchanged while the service runs."""

from __future__ import annotations

import logging
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from authz.config.settings import GeoipSettings
from authz.errors import Unavailable
from authz.model import Location
from authz.server.deciding import compiler
from authz.server.geoip import GeoIp, warning
from authz.store import Loaded, Snapshot, Unchanged

if TYPE_CHECKING:
    from collections.abc import Mapping

NETWORK = "203.0.113.0/24"


def written(
    path: Path, records: Mapping[str, Any], kind: str = "GeoLite2-Country", version: int = 6, compatible: bool = True
) -> Path:
    """Write a MaxMind DB as its makers put it in place: beside it, and then renamed."""
    writer = MMDBWriter(version, kind, ipv4_compatible=compatible)
    for network, record in records.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(f"{path}.new")
    os.replace(f"{path}.new", path)  # noqa: PTH105 - as rename(2)
    return path


def country(code: object) -> dict[str, Any]:
    """Return a record as a file of countries has it."""
    return {"country": {"iso_code": code, "names": {"en": "-"}}, "registered_country": {"iso_code": "US"}}


def geoip(faults: list[BaseException] | None = None, **paths: Path) -> GeoIp:
    """Return what reads these files; it looks when it is asked to."""
    return GeoIp(GeoipSettings(**paths), interval=60.0, fault=(faults if faults is not None else []).append)


@pytest.fixture
def countries(tmp_path: Path) -> Path:
    """Write a file of countries."""
    return written(tmp_path / "country.mmdb", {NETWORK: country("DE"), "2001:db8::/32": country("FR")})


def test_both_files_tell_their_part(countries: Path, tmp_path: Path) -> None:
    """A country of the one, a network and who runs it of the other; of IPv4 and IPv6."""
    record = {"autonomous_system_number": 64500, "autonomous_system_organization": "Example"}
    numbers = written(tmp_path / "asn.mmdb", {NETWORK: record}, "GeoLite2-ASN")
    found = geoip(country=countries, asn=numbers)
    assert found.locate("203.0.113.9") == Location(country="DE", asn=64500, organization="Example")
    assert found.locate("2001:db8::1") == Location(country="FR")


@pytest.mark.parametrize("address", ["198.51.100.1", "::1", "", "no address", "203.0.113.9%eth0", "203.0.113"])
def test_an_address_of_which_nothing_is_said_is_nowhere(address: str, countries: Path) -> None:
    """Nothing of it is known, and nothing is raised."""
    assert geoip(country=countries).locate(address) == Location()


def test_an_address_a_file_has_no_room_for_is_nowhere(tmp_path: Path) -> None:
    """An IPv6 caller and a file of IPv4: not known, and no damage."""
    faults: list[BaseException] = []
    file = written(tmp_path / "v4.mmdb", {NETWORK: country("DE")}, version=4, compatible=False)
    assert geoip(faults, country=file).locate("2001:db8::1") == Location()
    assert not faults


@pytest.mark.parametrize("code", ["de", "DEU", "", 49, None, ["DE"]])
def test_what_is_no_country_is_not_known(code: object, tmp_path: Path) -> None:
    """A code that no policy could mean is not passed on as one."""
    file = written(tmp_path / "odd.mmdb", {NETWORK: {"country": {"iso_code": code} if code is not None else {}}})
    assert geoip(country=file).locate("203.0.113.9") == Location()


def test_without_files_nobody_can_say() -> None:
    """`None`, and not a place of which nothing is known: nobody configured this."""
    assert geoip().locate("203.0.113.9") is None


def test_a_new_file_is_taken_up(countries: Path) -> None:
    """What was remembered of the old one is forgotten with it."""
    found = geoip(country=countries)
    assert found.locate("203.0.113.9") == Location(country="DE")
    written(countries, {NETWORK: country("AT")})
    found.look()
    assert found.locate("203.0.113.9") == Location(country="AT")


def test_a_file_is_taken_up_while_it_serves(countries: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that looks finds it by itself."""
    found, looked = GeoIp(GeoipSettings(country=countries), interval=0.01, fault=lambda _: None), threading.Event()
    monkeypatch.setattr("authz.server.geoip._log.info", lambda *_, **__: looked.set())
    found.start()
    try:
        written(countries, {NETWORK: country("AT")})
        assert looked.wait(10)
        assert found.locate("203.0.113.9") == Location(country="AT")
    finally:
        found.stop()


@pytest.mark.parametrize("damage", ["empty", "half", "text", "gone", "other"])
def test_the_last_good_file_stays(damage: str, countries: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A newer file that is none is told once, with why; it is looked at again when it changes."""
    found, whole = geoip(country=countries), countries.read_bytes()
    if damage == "gone":
        countries.unlink()
    elif damage == "other":
        written(countries, {NETWORK: {"autonomous_system_number": 1}}, "GeoLite2-ASN")
    else:
        countries.write_bytes({"empty": b"", "half": whole[: len(whole) // 2], "text": b"<html>429"}[damage])
    with caplog.at_level(logging.ERROR):
        found.look()
        found.look()
    assert [record.getMessage() for record in caplog.records] == ["a GeoIP file can't be used, the last good one stays"]
    assert str(countries) in str(found.status()["country"])
    assert found.status()["country"]["refused"]  # type: ignore[index]
    assert found.locate("203.0.113.9") == Location(country="DE")
    written(countries, {NETWORK: country("AT")})
    found.look()
    assert found.locate("203.0.113.9") == Location(country="AT")
    assert not found.status()["country"]["refused"]  # type: ignore[index]


def test_a_damaged_record_is_not_known(countries: Path) -> None:
    """Whatever reading it raises: nothing is known of the address, and the operator is told."""
    content, faults = bytearray(countries.read_bytes()), list[BaseException]()
    start = content.index(b"\x00" * 16) + 16  # the data, behind the tree
    content[start : start + 24] = b"\xff" * 24
    countries.write_bytes(content)
    assert geoip(faults, country=countries).locate("203.0.113.9") == Location()
    assert faults


def test_a_file_that_cannot_be_used_keeps_the_service_from_starting(tmp_path: Path) -> None:
    """At the start there is no last good one: the path and what is wrong with it."""
    with pytest.raises(Unavailable, match=r"can't read .*no\.mmdb: No such file or directory"):
        geoip(country=tmp_path / "no.mmdb")
    (tmp_path / "page.mmdb").write_text("<html>")
    with pytest.raises(Unavailable, match=r"page\.mmdb is no MaxMind DB file"):
        geoip(country=tmp_path / "page.mmdb")
    with pytest.raises(Unavailable, match=r"is a 'GeoLite2-Country': it tells no asn"):
        geoip(asn=written(tmp_path / "c.mmdb", {NETWORK: country("DE")}))


def test_without_the_extra_it_says_what_to_install(countries: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator who sets a file and lacks the library reads the command to run."""
    monkeypatch.setitem(sys.modules, "maxminddb", None)
    with pytest.raises(Unavailable, match=r"pip install 'envoy-cel-authz\[geoip\]'"):
        geoip(country=countries)


@pytest.mark.parametrize(
    ("condition", "asn", "missing"),
    [
        ('client.geo.country == "DE"', False, None),
        ("client.geo.asn == 1", False, ("geoip.asn",)),
        ('client.geo.organization == "X"', True, None),
        ("[client.geo].exists(place, place.asn == 1)", False, ("geoip.asn",)),
        ('client.ip == "::1"', False, None),
    ],
)
def test_policies_that_read_what_no_file_says_are_warned_of(
    condition: str, asn: bool, missing: object, countries: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """They deny, which is safe, and whoever wonders why reads which setting is missing."""
    source = (
        "apiVersion: authz/v1\nkind: Policy\nmetadata: {name: a}\nspec:\n  match: [{paths: [/**]}]\n"
        f"  rules: [{{name: near, allow: '{condition}'}}]\n"
    )
    policies = compiler("auto").compile({"a.yaml": source.encode()})
    numbers = {"asn": written(countries.with_name("asn.mmdb"), {NETWORK: {}}, "GeoLite2-ASN")} if asn else {}
    told = warning(geoip(country=countries, **numbers), lambda: Snapshot(policies=policies, generation=1, loaded_at=0))
    told(Unchanged(generation=1))
    assert not caplog.records
    told(Loaded(generation=1, digest="", files=1, at=0, seconds=0))
    assert [record.__dict__["fields"]["settings"] for record in caplog.records] == ([missing] if missing else [])
