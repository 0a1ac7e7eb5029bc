"""Whatever is the matter with a file or a stream, a verb says so: no traceback, and nothing "unexpected".

A table of verbs, and of what can be wrong with each path they take; and how a command ends whose streams are closed or
full.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from authz import cli, files
from tests.cli.conftest import POLICY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VERBS = [
    "serve --print-settings --config {}",
    "check {}",
    "check --lint --cross-check {}",
    "fmt --check --diff {}",
    "test {}",
    "test policies --policies {}",
    "init {}",
    "eval GET /orders --policies {}",
    "eval POST /orders --policies policies -d @{}",
    "envoy --check {}",
    "envoy --check policies/orders.yaml --config {}",
    "envoy --bootstrap --policies {}",
    "explain GET /orders --policies {}",
    "explain 0123456789abcdef0123456789abcdef --policies policies --log {}",
    "replay --policies policies {}",
    "routes --policies policies --records {}",
    "routes --policies policies --openapi {}",
    "diff policies {}",
    "sign {} --key policies/orders.yaml",
    "sign policies --key {}",
    "provenance {}",
    "keys new --secret-file {}",
    "import openapi --output-dir made {}",
    "import ratelimit {}",
    "limits show orders/all 1 --redis redis://127.0.0.1:1 --policies {}",
    "audit verify {}",
    "audit verify policies/orders.yaml --key-file {}",
    "doctor --config {}",
    "healthcheck unix://{}",
]


def directory(path: Path) -> None:
    """Make a folder, with folders where files are looked for."""
    for name in ("a.yaml", "a_test.yaml", "a.jsonl"):
        (path / name).mkdir(parents=True)


def unreadable(path: Path) -> None:
    """Make a file that nobody may read."""
    path.touch(mode=0)


def unreadable_inside(path: Path) -> None:
    """Make a folder of files and folders that nobody may look into."""
    path.mkdir()
    for name in ("a.yaml", "a_test.yaml", "a.jsonl"):
        (path / name).touch(mode=0)
    (path / "shut").mkdir(mode=0)


def no_text(path: Path) -> None:
    """Make a file of bytes that are no text."""
    path.write_bytes(b"\xff\xfe\x00authz/\x80: \xc3\n")


def no_text_inside(path: Path) -> None:
    """Make a folder of such files, one with such a name."""
    path.mkdir()
    for name in ("a.yaml", "a_test.yaml", "a.jsonl", "a.csv", ".provenance.json", ".signature.json"):
        (path / name).write_bytes(b"\xff\xfe\x00authz/\x80: \xc3\n")
    Path(os.fsdecode(os.fsencode(path) + b"/\xff.yaml")).write_text(POLICY)


def nested(path: Path) -> None:
    """Make a file that is nested deeper than a stack."""
    path.write_text("[" * 5000)


def circular(path: Path) -> None:
    """Make a link to itself."""
    path.symlink_to(path.name)


def circular_inside(path: Path) -> None:
    """Make a folder of links that lead nowhere, or back."""
    path.mkdir()
    (path / "a.yaml").symlink_to("a.yaml")
    (path / "a_test.yaml").symlink_to("nowhere")
    (path / "up").symlink_to("..")


def endless(path: Path) -> None:
    """Make what never ends, and has no end of a line either."""
    path.symlink_to("/dev/zero")


def silent(path: Path) -> None:
    """Make a pipe that nobody writes to."""
    os.mkfifo(path)


def silent_inside(path: Path) -> None:
    """Make a folder of such pipes."""
    path.mkdir()
    for name in ("a.yaml", "a_test.yaml", "a.jsonl", ".provenance.json", ".signature.json"):
        os.mkfifo(path / name)


def absent(_path: Path) -> None:
    """Make nothing."""


FAULTS: list[Callable[[Path], None]] = [
    absent, directory, unreadable, unreadable_inside, no_text, no_text_inside, nested, circular, circular_inside,
    endless, silent, silent_inside,
]  # fmt: skip
NAMES = ["n" * 300, "/".join(["d" * 200] * 30), "policies/orders.yaml/below", os.fsdecode(b"\xff\xfe")]


@contextmanager
def powerless() -> Iterator[None]:
    """Take from root, if that is who runs this, what lets it read every file (CAP_DAC_OVERRIDE, _READ_SEARCH)."""
    libc = ctypes.CDLL(None)
    head, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(head, sets) == 0
    before = sets[0]
    sets[0] = before & ~0b110
    assert libc.capset(head, sets) == 0
    try:
        yield
    finally:
        sets[0] = before
        assert libc.capset(head, sets) == 0


@pytest.mark.parametrize("verb", VERBS)
def test_what_is_wrong_with_a_path_is_told(
    verb: str, run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends with an exit code of ours and a message; nothing gets as far as "unexpected"."""
    monkeypatch.setattr(files, "PATIENCE", 0.01)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "orders.yaml").write_text(POLICY)
    places = NAMES[:]
    for fault in FAULTS:
        places.append(str(tmp_path / fault.__name__))
        fault(Path(places[-1]))
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr] # as `main` does
    with powerless():
        for place in places:
            ran = run(*(word.format(place) for word in verb.split()))
            assert ran.status in range(6), ascii(place)
            assert "unexpected:" not in ran.err, ascii(place)
            assert ran.out or ran.err, ascii(place)


def ended(arguments: list[str], **streams: Any) -> tuple[int, str]:
    """Run the command in a process of its own; return its exit code and what it said on standard error."""
    command = [sys.executable, "-m", "authz", *arguments]
    ran = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, **streams)
    return ran.returncode, ran.stderr


@pytest.mark.parametrize("arguments", [["schema"], ["keys", "new"], ["--version"], ["--help"], ["check", "--help"]])
def test_a_disk_that_is_full_is_told(arguments: list[str]) -> None:
    """A script that keeps what a verb prints hears that it could not be kept."""
    with Path("/dev/full").open("w") as full:
        status, told = ended(arguments, stdout=full)
    assert status == 1
    assert told.lower().endswith("write: no space left on device\n")
    assert told.count("\n") == 1


@pytest.mark.parametrize("arguments", [["schema"], ["--help"]])
def test_a_reader_that_has_gone_is_no_fault(arguments: list[str]) -> None:
    """`authz ... | head` ends without a word."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as gone:
        assert ended(arguments, stdout=gone) == (1, "")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_what_happens_while_the_command_loads_is_no_traceback(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C may come before there is a verb to end; `--debug` shows what it was asked to show."""
    monkeypatch.setattr(cli, "_run", Mock(side_effect=error))
    monkeypatch.setattr("sys.argv", ["authz", "check"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code in {130, "authz: can't write: no space left on device"}


@pytest.mark.parametrize("arguments", [["keys", "password", "--id", "a"], ["envoy", "--check", "-"]])
def test_a_standard_input_that_is_closed_is_told(
    arguments: list[str], run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As services and cron start commands: Python has no `sys.stdin` then."""
    monkeypatch.setattr("sys.stdin", None)
    ran = run(*arguments)
    assert ran.status in {1, 2}
    assert "standard input" in ran.err
    assert "closed\n" in ran.err
