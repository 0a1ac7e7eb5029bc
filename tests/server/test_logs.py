"""What the log says, and what it must never say (rows O1, O2)."""

import io
import json
import logging
import sys
import warnings
from collections.abc import Callable, Iterator

import pytest

from authz.server.logs import QUIET, FaultLog, JsonLines, set_up


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, object]]]]:
    """Log to memory in the service's own format."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines(worker=3))
    log = logging.getLogger("tests.logs")
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    log.removeHandler(handler)


LOG = logging.getLogger("tests.logs")


def test_a_line_is_one_object(lines: Callable[[], list[dict[str, object]]]) -> None:
    """Time, level, message, worker, and the fields that were given."""
    LOG.info("policies loaded", extra={"fields": {"generation": 2}})
    (line,) = lines()
    assert str(line.pop("time")).endswith("Z")
    assert line == {"level": "info", "message": "policies loaded", "worker": 3, "generation": 2}


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", 'a"b', "a\x1b[31mb", "a\u2028b", "a\x85b", "\ud800"])
def test_no_text_breaks_a_line_or_speaks_to_a_terminal(text: str) -> None:
    """Whatever is logged, one record is one line, and no control character is in it (row O1)."""
    record = logging.LogRecord("n", logging.INFO, "f", 1, text, None, None)
    written = JsonLines().format(record)
    assert written.isprintable()
    json.loads(written)


def _raise(secret: str) -> BaseException:
    try:
        raise ValueError(secret)
    except ValueError as error:
        return error


def test_an_exception_is_named_by_type_and_place(lines: Callable[[], list[dict[str, object]]]) -> None:
    """Its text, which may hold what a caller sent, is not logged (row O2)."""
    LOG.error("failed", exc_info=_raise("canary"))
    (line,) = lines()
    assert str(line["error"]).startswith("ValueError at ")
    assert "canary" not in json.dumps(line)


def test_a_fault_is_told_once_and_counted(lines: Callable[[], list[dict[str, object]]]) -> None:
    """A thousand equal faults are one line now and one line a minute later, with their number."""
    now = [0.0]
    fault = FaultLog(LOG, clock=lambda: now[0])
    for _ in range(1000):
        fault(_raise("canary"))
    now[0] = QUIET
    fault(_raise("canary"))
    fault(KeyError("another"))
    assert [(line["times"], str(line["error"]).split(" ", 1)[0]) for line in lines()] == [
        (1, "ValueError"), (1000, "ValueError"), (1, "KeyError"),
    ]  # fmt: skip
    assert fault.count == 1002


def test_warnings_and_libraries_log_alike(capsys: pytest.CaptureFixture[str]) -> None:
    """What a library logs or warns of goes the same way."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        set_up("info")
        logging.getLogger("watchfiles.main").info("2 changes detected")
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn_explicit("told", UserWarning, "f.py", 1)
        written = capsys.readouterr().err.splitlines()
    finally:
        logging.captureWarnings(capture=False)
        root.handlers[:], root.level = before, level
    assert [json.loads(line)["level"] for line in written] == ["warning"]
    assert sys.stderr is not None
