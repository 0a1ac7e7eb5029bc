"""Where what was decided goes, as settings want it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authz.audit import Recorder
from authz.config import Settings, load
from authz.console import Denied, Tail
from authz.errors import SettingsFaults, Unavailable
from authz.server.outputs import outputs, reads_writer
from authz.telemetry import Metrics
from authz.telemetry.otlp_logs import LogSink
from authz.telemetry.spans import Spans

if TYPE_CHECKING:
    from pathlib import Path


def settings_of(folder: Path, **changes: object) -> Settings:
    """Return settings of a process with its policies and records in a folder."""
    flags = {"policies": (str(folder),), "record.sink": f"{folder}/records", **changes}
    return load(environment={}, flags=flags).settings


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, [Metrics, Recorder, Tail, Denied]),
        ({"record.sink": "off"}, [Metrics, Tail, Denied]),
        ({"admin": "off"}, [Recorder]),
        ({"admin": "off", "record.sink": "off"}, []),
        ({"admin": "off", "otlp.endpoint": "http://127.0.0.1:1"}, [Metrics, Recorder, Spans]),
    ],
)
def test_who_is_told_of_outcomes_follows_from_settings(
    changes: dict[str, object], told: list[type], tmp_path: Path
) -> None:
    """Records unless they are off; numbers and the console where there is a port to show them on, or a collector."""
    assert [type(one) for one in outputs(settings_of(tmp_path, **changes), 0).observers] == told


def test_an_event_is_nobodys_where_there_are_no_records(tmp_path: Path) -> None:
    """Whoever tells of a change need not ask whether it is recorded."""
    outputs(settings_of(tmp_path, **{"record.sink": "off"}), 0).event({"event": "policies_loaded"})


def test_fingerprints_of_one_secret_can_be_compared(tmp_path: Path) -> None:
    """Processes that share `record.key_file` write the same; an empty file is refused, for it keys nothing (O2)."""
    file = tmp_path / "key"
    file.write_text("secret\n")
    keyed = settings_of(tmp_path, **{"record.key_file": str(file)})
    first, second, other = (reads_writer(settings)._key for settings in (keyed, keyed, settings_of(tmp_path)))
    assert first == second != other
    file.write_text("\n")
    with pytest.raises(Unavailable, match="it is empty"):
        outputs(keyed, 0)


def test_a_file_for_records_that_cannot_be_had_is_told(tmp_path: Path) -> None:
    """Before anything starts."""
    with pytest.raises(Unavailable, match=r"can't write records to .*/no/records: No such file"):
        outputs(settings_of(tmp_path, **{"record.sink": f"{tmp_path}/no/records"}), 0)


def test_records_can_go_to_a_collector(tmp_path: Path) -> None:
    """A word in place of a path; without a collector it is a fault of the settings, not a file of that name."""
    to = {"record.sink": "otlp", "otlp.endpoint": "http://127.0.0.1:1"}
    recorder = outputs(settings_of(tmp_path, **to), 0).recorder
    assert recorder is not None
    assert isinstance(recorder._sink, LogSink)
    with pytest.raises(SettingsFaults, match=r"record\.sink: otlp needs otlp\.endpoint"):
        settings_of(tmp_path, **{"record.sink": "otlp"})


def test_nobody_asks_whether_records_are_kept_unless_that_is_wanted(tmp_path: Path) -> None:
    """It costs a check nothing, and answers never wait for a sink (O4)."""
    assert outputs(settings_of(tmp_path), 0).unrecorded is None
    closed = outputs(settings_of(tmp_path, **{"record.fail_closed": "true"}), 0)
    assert closed.recorder is not None
    assert closed.unrecorded == closed.recorder.stuck
