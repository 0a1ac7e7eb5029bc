"""Every setting: named once, documented, safe by default."""

import re

import pytest
from pydantic import ValidationError

from authz.config.names import SETTINGS
from authz.config.settings import Settings


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
