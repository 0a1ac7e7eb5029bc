"""Every setting: named once, documented, safe by default."""

import re

import pytest
from pydantic import ValidationError

from authz.config.names import SETTINGS
from authz.config.settings import RecordSettings, Settings, SigningSettings


def test_every_setting_has_a_default() -> None:
    """Nothing has to be set to start."""
    assert Settings().listen == ("127.0.0.1:9191",)


def test_every_setting_has_a_line_about_it() -> None:
    """One sentence each, beginning with a capital or a literal and ending with a full stop."""
    assert [name for name, setting in SETTINGS.items() if not re.fullmatch(r"[^\n]{10,120}\.", setting.about)] == []


def test_by_default_only_loopback_is_listened_on() -> None:
    """Neither port is open to others unless told to be (row G14)."""
    defaults = Settings()
    assert [place.partition(":")[0] for place in (*defaults.listen, str(defaults.admin))] == ["127.0.0.1"] * 2


def test_settings_are_frozen() -> None:
    """Nobody changes a setting once it is read."""
    with pytest.raises(ValidationError):
        Settings().workers = 2  # type: ignore[misc]


@pytest.mark.parametrize("given", [
    {"keys": ["a.pem"]}, {"keys": ["a.pem"], "issuer": "a"}, {"keys": ["a.pem"], "audience": "b"}, {"issuer": "a"},
    {"keys": ["a.pem"], "issuer": "a", "audience": "b", "header": "authorization"},
    {"keys": ["a.pem"], "issuer": "a", "audience": "b", "header": "x_identity"},
    {"keys": ["a.pem"], "issuer": "a", "audience": "b", "lifetime": "2d"},
])  # fmt: skip
def test_a_signed_identity_is_whole_or_off(given: dict[str, object]) -> None:
    """Keys, an issuer and an audience go together: a token for anybody is none. The header is one of our own."""
    with pytest.raises(ValidationError):
        SigningSettings.model_validate(given)
    assert SigningSettings.model_validate({"keys": ["a.pem"], "issuer": "a", "audience": "b"}).lifetime == 60


@pytest.mark.parametrize("sink", ["-", "/dev/stdout"])
def test_standard_output_has_other_names(sink: str) -> None:
    """As other programs call it; none of them is a file of that name, numbered for each worker."""
    assert RecordSettings(sink=sink).sink == "stdout"


@pytest.mark.parametrize("given", [{"sink": "off"}, {"deny": 0.5}, {"allow": 0.0}])
def test_who_lets_nobody_in_without_a_record_records_everything(given: dict[str, object]) -> None:
    """What is not recorded would be let in all the same, or nothing would tell that records can be kept again."""
    with pytest.raises(ValidationError, match=r"record\.fail_closed needs every decision on record"):
        RecordSettings.model_validate({"fail_closed": True, **given})
    assert RecordSettings(fail_closed=True).fail_closed


@pytest.mark.parametrize("sink", ["stdout", "otlp", "off"])
def test_a_chain_needs_a_file(sink: str) -> None:
    """Lines of several processes mix on standard output, and nothing could go on with a chain after a restart."""
    with pytest.raises(ValidationError, match=r"record\.chain needs record\.sink to be a file"):
        RecordSettings(chain=True, sink=sink)
    assert RecordSettings(chain=True, sink="records.jsonl").chain
