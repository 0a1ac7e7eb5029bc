"""What a reading of folders holds, and what it refuses."""

import contextlib
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from authz.store import folders, read


def _write(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.yaml").write_text(content)
    return folder


def _faults(*sources: Path, **options: int) -> list[str]:
    return [str(fault) for fault in read(sources, **options).faults]


def test_a_folder_is_read_with_what_is_below_it(tmp_path: Path) -> None:
    """Files are shown by the path that was given; data and schema files are read too."""
    (tmp_path / "teams").mkdir()
    (tmp_path / "a.yaml").write_text("a")
    (tmp_path / "order.schema.json").write_text("{}")
    (tmp_path / "teams" / "b.yml").write_text("b")
    reading = read([tmp_path])
    assert reading.files == {
        f"{tmp_path}/a.yaml": b"a", f"{tmp_path}/order.schema.json": b"{}", f"{tmp_path}/teams/b.yml": b"b",
    }  # fmt: skip
    assert not reading.faults
    assert not reading.swapped


def test_a_link_to_itself_is_a_fault_like_any_other(tmp_path: Path) -> None:
    """L3: it can't be looked at, and says so; an error there ended the watch, and no change was seen any more."""
    (tmp_path / "a.yaml").symlink_to("a.yaml")
    (tmp_path / "b.yaml").write_text("b")
    assert _faults(tmp_path) == [f"{tmp_path}/a.yaml: can't be read: too many levels of symbolic links"]


def test_names_with_a_dot_and_tests_are_skipped(tmp_path: Path) -> None:
    """`..data`, `.git`, an editor's swap file and `*_test.yaml` are no policies."""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.yaml").write_text("no")
    for name in (".a.yaml.swp", "..old.yaml", "a_test.yaml", "b_test.yml"):
        (tmp_path / name).write_text("no")
    _write(tmp_path, a="a")
    assert list(read([tmp_path]).files) == [f"{tmp_path}/a.yaml"]


def test_tests_are_read_where_they_are_wanted(tmp_path: Path) -> None:
    """They are part of what the folders hold, so a change of them is a change; they may lie in a mount of their own."""
    _write(tmp_path / "p", a="a")
    _write(tmp_path / "t", a_test="t")
    sources = [tmp_path / "p", tmp_path / "t"]
    reading = read(sources, tests=True)
    assert list(reading.files.values()) == [b"a", b"t"]
    assert not reading.faults
    (tmp_path / "t" / "a_test.yaml").write_text("u")
    assert read(sources, tests=True).content != reading.content


def test_a_volume_is_read_once(volume: Callable[..., Any]) -> None:
    """What `..data` names is read and the links to it are not, so nothing is loaded twice (row L1)."""
    one = volume("a", {"a.yaml": "a", "nested/b.yaml": "b"})
    reading = read([one.folder])
    assert reading.files == {f"{one.folder}/a.yaml": b"a", f"{one.folder}/nested/b.yaml": b"b"}
    assert reading.swapped


def test_a_file_in_a_volume_is_read_through_its_link(volume: Callable[..., Any]) -> None:
    """A single file may be given; it too changes by a swap."""
    one = volume("a", {"a.yaml": "a", "b.yaml": "b"})
    reading = read([one.folder / "a.yaml"])
    assert (dict(reading.files), reading.swapped) == ({f"{one.folder}/a.yaml": b"a"}, True)


def test_volumes_below_a_plain_folder_are_followed(volume: Callable[..., Any]) -> None:
    """One mount per team under a common folder is the usual layout (row L7)."""
    first, second = volume("all/a", {"a.yaml": "a"}), volume("all/b", {"b.yaml": "b"})
    root = first.folder.parent
    assert read([root]).files == {f"{first.folder}/a.yaml": b"a", f"{second.folder}/b.yaml": b"b"}


def test_a_reading_that_a_swap_overtakes_is_repeated(
    volume: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old and new never mix: a swap after the first file was read gives two new files (row L3)."""
    one = volume("a", {"a.yaml": "old", "b.yaml": "old"})
    swaps = iter([{"a.yaml": "new", "b.yaml": "new"}])
    content = folders._content

    def overtaken(place: str, limit: int) -> bytes:
        found = content(place, limit)
        for files in swaps:
            one.swap(files)
        return found

    monkeypatch.setattr(folders, "_content", overtaken)
    assert set(read([one.folder]).files.values()) == {b"new"}


def test_a_volume_that_never_stands_still_is_a_fault(
    volume: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readings are repeated a bounded number of times."""
    one = volume("a", {"a.yaml": "a"})
    content = folders._content

    def overtaken(place: str, limit: int) -> bytes:
        found = content(place, limit)
        one.swap({"a.yaml": "a"})
        return found

    monkeypatch.setattr(folders, "_content", overtaken)
    assert _faults(one.folder) == [f"{one.folder}: is being swapped faster than it can be read"]


def test_no_reading_under_swaps_mixes_versions(volume: Callable[..., Any]) -> None:
    """While a thread swaps without pause, every reading is of one version (rows L1, L3)."""
    one = volume("a", {f"{name}.yaml": "0" for name in "abcdef"})
    stop = threading.Event()

    def swap() -> None:
        for number in range(1, 300):
            one.swap({f"{name}.yaml": str(number) for name in "abcdef"})
        stop.set()

    thread = threading.Thread(target=swap)
    thread.start()
    readings = []
    while not stop.is_set():
        readings.append(read([one.folder]))
    thread.join()
    assert all(
        len(set(reading.files.values())) == 1 and len(reading.files) == 6 for reading in readings if not reading.faults
    )
    assert read([one.folder]).files[f"{one.folder}/a.yaml"] == b"299"


def test_what_is_missing_or_holds_no_policies_is_a_fault(tmp_path: Path) -> None:
    """A volume that was not mounted is an empty folder, and no reason to serve the rest (row L7)."""
    _write(tmp_path / "good", a="a")
    (tmp_path / "empty").mkdir()
    _write(tmp_path / "tests", a_test="t")
    assert _faults(tmp_path / "good", tmp_path / "gone") == [f"{tmp_path}/gone: does not exist"]
    assert _faults(tmp_path / "good", tmp_path / "empty") == [f"{tmp_path}/empty: holds no policies (*.yaml)"]
    assert _faults(tmp_path / "tests") == [f"{tmp_path}/tests: holds no policies (*.yaml)"]
    assert _faults(tmp_path / "good", tmp_path / "good") == [f"{tmp_path}/good: is named twice"]
    file = tmp_path / "tests" / "a_test.yaml"
    assert _faults(file) == [f"{file}: holds no policies (*.yaml)"]


def test_a_name_that_ends_in_capitals_is_a_fault(tmp_path: Path) -> None:
    """A guardrail in it would guard nothing, and nobody would be told (row L3)."""
    _write(tmp_path, good="a")
    (tmp_path / "RISKY.YAML").write_text("b")
    told = "would not be served: names end in .yaml or .yml, in lower case (rename it)"
    assert _faults(tmp_path) == [f"{tmp_path}/RISKY.YAML: {told}"]
    assert _faults(tmp_path / "RISKY.YAML")[0] == f"{tmp_path}/RISKY.YAML: {told}"


def test_what_cannot_be_read_is_a_fault_and_waits_for_nothing(tmp_path: Path) -> None:
    """A dangling link, a folder in a file's place, an empty file, a pipe and a file that fails: all told (row L3)."""
    _write(tmp_path, good="a", empty="")
    (tmp_path / "dangling.yaml").symlink_to("nowhere")
    (tmp_path / "folder.yaml").mkdir()
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "failing.yaml").symlink_to("/proc/self/mem")
    assert _faults(tmp_path) == [
        f"{tmp_path}/dangling.yaml: does not exist",
        f"{tmp_path}/empty.yaml: is empty (half-written, or left over: remove it)",
        f"{tmp_path}/failing.yaml: can't be read: input/output error",
        f"{tmp_path}/folder.yaml: is a folder",
        f"{tmp_path}/pipe.yaml: is no regular file",
    ]


def test_what_may_not_be_read_is_a_fault() -> None:
    """A file without permission is told, and so is a folder (row L3)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (_write(folder, a="a", b="b") / "a.yaml").chmod(0)
        (folder / "closed").mkdir(mode=0)
        with _nobody():
            assert _faults(folder) == [
                f"{folder}/a.yaml: can't be read: permission denied",
                f"{folder}/closed: can't be read: permission denied",
            ]


@contextlib.contextmanager
def _nobody() -> Iterator[None]:
    """Be a user to whom something is forbidden."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


def test_folders_that_go_in_a_circle_are_a_fault(tmp_path: Path) -> None:
    """A link to a folder above is found, not followed for ever."""
    _write(tmp_path, a="a")
    (tmp_path / "again").symlink_to(tmp_path)
    assert _faults(tmp_path) == [f"{tmp_path}/again: links back to a folder above it"]


def test_all_files_together_are_bounded(tmp_path: Path) -> None:
    """The file that goes over the bound is named, and no more of it is read than that takes (row L6)."""
    _write(tmp_path, a="a" * 600, b="b" * 600)
    assert _faults(tmp_path, max_bytes=1000) == [
        f"{tmp_path}/b.yaml: is too large (reload.max_bytes bounds all files together)"
    ]
    assert _faults(tmp_path, max_bytes=1200) == []


def test_a_file_is_read_to_its_end_whatever_its_size_is_said_to_be(tmp_path: Path) -> None:
    """A file that grows between the look at its size and the reading is read whole; one of procfs says that it is 0."""
    (tmp_path / "a.yaml").symlink_to("/proc/version")
    reading = read([tmp_path])
    assert reading.files == {f"{tmp_path}/a.yaml": Path("/proc/version").read_bytes()}
    assert [fault.message for fault in read([tmp_path], max_bytes=5).faults] == ["is too large"]


def test_equal_readings_have_equal_content(tmp_path: Path) -> None:
    """Contents and names count, times do not; moving a character from a name to a content is a difference."""
    first = read([_write(tmp_path / "x", a="1", b="2")])
    os.utime(tmp_path / "x" / "a.yaml", (1, 1))
    assert read([tmp_path / "x"]).content == first.content
    (tmp_path / "x" / "a.yaml").write_text("2")
    (tmp_path / "x" / "b.yaml").write_text("1")
    assert read([tmp_path / "x"]).content != first.content
