"""The policies in force through swaps, slips and outages (rows L1 to L4, L7 to L10)."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from authz.errors import FailedTests, Fault
from authz.store import Loaded, Refused, Unchanged
from authz.store.store import Watching

SLOW = Watching(interval=3600, settle=0.01, hints=False)
"""No poll ever comes by itself."""

BUSY = Watching(interval=0.005, settle=0, hints=False)
"""A poll follows the other."""


def test_the_first_policies_are_generation_one(volume: Callable[..., Any], watch: Callable[..., Any]) -> None:
    """What is loaded at the start is told with its generation, digest and number of files."""
    watched = watch(volume("a", {"a.yaml": "1", "b.yaml": "2"}).folder)
    loaded = watched.wait(0)
    assert (loaded.generation, loaded.digest, loaded.files) == (1, "digest-1", 2)
    assert watched.store.current.generation == 1
    assert watched.store.current.loaded_at == loaded.at


def test_bad_policies_at_the_start_are_no_policies(volume: Callable[..., Any], watch: Callable[..., Any]) -> None:
    """Nothing is in force, everything is denied, and mending the files is enough (row L4)."""
    one = volume("a", {"a.yaml": "broken"})
    watched = watch(one.folder)
    assert isinstance(watched.wait(0), Refused)
    assert watched.store.current is None
    assert [fault.file for fault in watched.store.faults] == [f"{one.folder}/a.yaml"]
    one.swap({"a.yaml": "good"})
    assert watched.wait(1).generation == 1
    assert watched.store.faults == ()


@pytest.mark.parametrize("make", [lambda _: None, Path.mkdir], ids=["missing", "empty"])
def test_no_folder_at_the_start_is_no_policies(
    make: Callable[[Path], None], tmp_path: Path, watch: Callable[..., Any]
) -> None:
    """A folder that is not there, or holds nothing, is told clearly; policies that appear are served (row L4)."""
    folder = tmp_path / "late"
    make(folder)
    watched = watch(folder)
    assert [fault.file for fault in watched.wait(0).faults] == [str(folder)]
    folder.mkdir(exist_ok=True)
    (folder / "a.yaml").write_text("a")
    assert watched.wait(1).generation == 1


def test_two_hundred_swaps_without_one_event(volume: Callable[..., Any], watch: Callable[..., Any]) -> None:
    """Every swap is seen by polling alone, alternating good and broken; a generation is counted once (row L1)."""
    one, two = volume("a", {"a.yaml": "0"}), volume("b", {"b.yaml": "0"})
    watched = watch(one.folder, two.folder, watching=BUSY)
    for number in range(1, 201):
        target, name = (one, "a.yaml") if (number - 1) // 2 % 2 else (two, "b.yaml")
        target.swap({name: f"{'broken' if number % 2 else 'good'} {number}"})
        assert isinstance(watched.wait(number), Refused if number % 2 else Loaded), watched.events[-3:]
    assert watched.store.current.generation == 101
    assert len(watched.events) == 201


def test_a_swap_with_equal_contents_is_no_new_generation(volume: Callable[..., Any], watch: Callable[..., Any]) -> None:
    """A kubelet may rewrite what it has; that changes nothing."""
    one = volume("a", {"a.yaml": "a"})
    watched = watch(one.folder)
    one.swap({"a.yaml": "a"})
    watched.store.reload()
    assert watched.wait(1) == Unchanged(generation=1)


def test_the_poll_sees_what_no_event_told(volume: Callable[..., Any], watch: Callable[..., Any]) -> None:
    """Twenty swaps of two volumes, nobody asking: the interval is enough (row L1)."""
    one, two = volume("a", {"a.yaml": "0"}), volume("b", {"b.yaml": "0"})
    watched = watch(one.folder, two.folder)
    for number in range(1, 21):
        (one if number % 2 else two).swap({"a.yaml" if number % 2 else "b.yaml": str(number)})
        assert watched.wait(number).generation == number + 1
    assert watched.served() == {"a.yaml": "19", "b.yaml": "20"}


def test_a_look_that_finds_what_is_in_force_confirms_it(volume: Callable[..., Any], watch: Callable[..., Any]) -> None:
    """Their age begins anew with it, and goes on where the folder holds something that is refused, or nothing."""
    one = volume("a", {"a.yaml": "good"})
    watched = watch(one.folder)
    confirmed = watched.store._confirmed
    _polls(watched, 3)
    assert watched.store._confirmed > confirmed
    one.swap({"a.yaml": "broken"})
    watched.wait(1)
    confirmed = watched.store._confirmed
    _polls(watched, 3)
    assert watched.store._confirmed == confirmed
    assert watched.store.age > 0
    one.swap({"a.yaml": "good"})
    watched.wait(2)
    assert watched.store._confirmed > confirmed


def test_policies_that_never_were_have_no_age(tmp_path: Path, watch: Callable[..., Any]) -> None:
    """Nothing is in force that could be old."""
    assert watch(tmp_path / "none").store.age is None


class _Trying:
    """Compiles what has a test that says so."""

    def compile(self, files: Mapping[str, bytes]) -> SimpleNamespace:
        """Fail unless the test is good."""
        (test,) = [content for name, content in files.items() if name.endswith("_test.yaml")]
        if test != b"good":
            raise FailedTests([Fault(file="a_test.yaml", message=test.decode())])
        return SimpleNamespace(files=files, digest="d")


def test_a_swap_of_tests_alone_is_tried(volume: Callable[..., Any], watch: Callable[..., Any]) -> None:
    """A ConfigMap with its tests is one; what does not pass is told apart from what can't be read (row L3)."""
    one = volume("a", {"a.yaml": "1", "a_test.yaml": "good"})
    tried = Watching(interval=0.05, settle=0.02, hints=False, tests=True)
    watched = watch(one.folder, watching=tried, compiler=_Trying())
    one.swap({"a.yaml": "1", "a_test.yaml": "bad"})
    refused = watched.wait(1)
    assert (refused.tests_failed, refused.generation) == (True, 1)
    one.swap({"a.yaml": "2", "a_test.yaml": "good"})
    assert watched.wait(2).generation == 2
    one.swap({"a.yaml": "2"})
    assert not watched.wait(3).tests_failed


def test_a_hint_saves_the_wait(volume: Callable[..., Any], watch: Callable[..., Any]) -> None:
    """With inotify a swap is seen although no poll is due for an hour."""
    one = volume("a", {"a.yaml": "0"})
    watched = watch(one.folder, watching=Watching(interval=3600, settle=0.01))
    number = 0
    while len(watched.events) < 2:  # the watch may begin only after the first swaps
        number += 1
        one.swap({"a.yaml": str(number)})
        with watched._changed:
            watched._changed.wait(1)
    assert watched.wait(1).generation == 2


def test_a_failure_is_told_once(tmp_path: Path, watch: Callable[..., Any]) -> None:
    """However often the folder is polled, one failure is one event, and another failure is another (row L3)."""
    file, other = tmp_path / "a.yaml", tmp_path / "b.yaml"
    file.write_text("good")
    other.write_text("1")
    watched = watch(tmp_path)
    file.write_text("broken 1")
    assert watched.wait(1).generation == 1
    other.write_text("2")
    _polls(watched, 4)
    file.write_text("broken 2")
    assert [fault.message for fault in watched.wait(2).faults] == ["broken 2"]
    file.write_text("good")
    other.write_text("1")
    assert watched.wait(3) == Unchanged(generation=1)
    assert watched.words() == ["Loaded", "Refused", "Refused", "Unchanged"]


def test_what_was_refused_is_not_compiled_again(volume: Callable[..., Any], watch: Callable[..., Any]) -> None:
    """Polling a broken folder costs no more than polling a good one (row L9)."""
    one = volume("a", {"a.yaml": "good"})
    watched = watch(one.folder)
    one.swap({"a.yaml": "broken"})
    watched.wait(1)
    _polls(watched, 3)
    assert watched.store._compiler.compiled == 2


def _polls(watched: Any, number: int) -> None:
    """Wait until the store has looked so many times more."""
    read, looked = watched.store._read, threading.Semaphore(0)

    def counted() -> Any:
        looked.release()
        return read()

    watched.store._read = counted
    for _ in range(number):
        assert looked.acquire(timeout=20)
    watched.store._read = read


def test_a_file_written_in_pieces_is_read_when_it_is_whole(tmp_path: Path, watch: Callable[..., Any]) -> None:
    """Half of a file, however valid, is not served: a plain folder must be still first (row L3)."""
    file = tmp_path / "a.yaml"
    file.write_text("old")
    watched = watch(tmp_path, watching=Watching(interval=0.01, settle=0.4, hints=False))
    with file.open("w") as half:
        half.write("first half, ")
        half.flush()
        _polls(watched, 1)
        half.write("second half")
    assert watched.wait(1).generation == 2
    assert watched.served() == {"a.yaml": "first half, second half"}


def test_a_folder_that_never_rests_is_a_fault(tmp_path: Path, watch: Callable[..., Any]) -> None:
    """What changes at every look is never served, and that is told."""
    file = tmp_path / "a.yaml"
    file.write_text("0")
    watched = watch(tmp_path, watching=Watching(interval=0.01, settle=0.001, hints=False))
    read, numbers = watched.store._read, iter(range(1, 10_000))

    def changing() -> Any:
        file.write_text(str(next(numbers)))
        return read()

    watched.store._read = changing
    assert [fault.message for fault in watched.wait(1).faults] == ["keeps changing while it is read"]
    assert watched.store.current.generation == 1


@pytest.mark.parametrize(
    ("slip", "message"),
    [
        (lambda file: file.write_text(""), "is empty"),
        (lambda file: (file.unlink(), file.mkdir()), "is a folder"),
        (lambda file: (file.unlink(), file.symlink_to("nowhere")), "does not exist"),
        (lambda file: file.write_bytes(b"broken \xff\x00"), "broken"),
        (lambda file: shutil.rmtree(file.parent), "does not exist"),
        (lambda file: file.rename(file.with_name("a.txt")), "holds no policies"),
    ],
    ids=["truncated", "a folder in its place", "a dangling link", "binary", "folder removed", "last policy removed"],
)
def test_after_a_slip_the_last_good_stays(
    slip: Callable[[Path], object], message: str, tmp_path: Path, watch: Callable[..., Any]
) -> None:
    """Whatever happens to the files, what was served is served, and the slip is told (rows L3, L7)."""
    file = tmp_path / "policies" / "a.yaml"
    file.parent.mkdir()
    file.write_text("good")
    watched = watch(file.parent)
    slip(file)
    assert watched.wait(1).faults[0].message.startswith(message)
    assert watched.served() == {"a.yaml": "good"}
    assert watched.store.current.generation == 1


def test_one_of_two_volumes_that_vanishes_takes_nothing_along(
    volume: Callable[..., Any], watch: Callable[..., Any]
) -> None:
    """The policies of both stay in force, and the folder that is gone is named (row L7)."""
    one, two = volume("a", {"a.yaml": "a"}), volume("b", {"b.yaml": "b"})
    watched = watch(one.folder, two.folder)
    shutil.rmtree(two.folder)
    assert [fault.file for fault in watched.wait(1).faults] == [str(two.folder)]
    assert watched.served() == {"a.yaml": "a", "b.yaml": "b"}


def test_removing_a_policy_on_purpose_removes_it(tmp_path: Path, watch: Callable[..., Any]) -> None:
    """A file that is deleted beside others is a change like any other."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(name)
    watched = watch(tmp_path)
    (tmp_path / "b.yaml").unlink()
    assert watched.wait(1).generation == 2
    assert watched.served() == {"a.yaml": "a"}


def test_a_compiler_that_raises_takes_nothing_along(volume: Callable[..., Any], watch: Callable[..., Any]) -> None:
    """A fault of ours on reload is told and leaves the watch alive."""

    class Fragile:
        def compile(self, files: Mapping[str, bytes]) -> Any:
            if b"bomb" in files.values():
                raise RecursionError("too deep")
            return type("Policies", (), {"digest": "d", "files": files})

    one = volume("a", {"a.yaml": "a"})
    watched = watch(one.folder, compiler=Fragile())
    one.swap({"a.yaml": "bomb"})
    assert str(watched.wait(1).faults[0]) == ": policies could not be compiled: RecursionError: too deep"
    one.swap({"a.yaml": "b"})
    assert watched.wait(2).generation == 2


def test_a_look_that_fails_is_not_the_last(
    volume: Callable[..., Any], watch: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """L3: whatever a look at the folders raises is told, the last good stays, and the watch goes on."""
    one = volume("a", {"a.yaml": "a"})
    watched = watch(one.folder)

    def raises(*_: object, **__: object) -> None:
        raise ValueError("whatever")

    with monkeypatch.context() as broken:
        broken.setattr("authz.store.store.read", raises)
        assert str(watched.wait(1).faults[0]) == ": policies could not be read: ValueError: whatever"
        assert watched.served() == {"a.yaml": "a"}
    assert watched.wait(2) == Unchanged(generation=1)
    one.swap({"a.yaml": "b"})
    assert watched.wait(3).generation == 2


def test_a_reload_that_is_asked_for_is_always_answered(volume: Callable[..., Any], watch: Callable[..., Any]) -> None:
    """Nothing new, and what is still refused, are told again to who asked; a poll would be silent."""
    one = volume("a", {"a.yaml": "a"})
    watched = watch(one.folder, watching=SLOW)
    watched.store.reload()
    assert watched.wait(1) == Unchanged(generation=1)
    one.swap({"a.yaml": "broken"})
    for number in (2, 3):
        watched.store.reload()
        assert isinstance(watched.wait(number), Refused)


def test_a_snapshot_in_use_is_not_touched(volume: Callable[..., Any], watch: Callable[..., Any]) -> None:
    """A request that read `current` before a swap keeps its generation to the end (rows L8, L10)."""
    one = volume("a", {"a.yaml": "old"})
    watched = watch(one.folder)
    before = watched.store.current
    one.swap({"a.yaml": "new"})
    watched.wait(1)
    assert (before.generation, set(before.policies.files.values())) == (1, {b"old"})
    assert watched.served() == {"a.yaml": "new"}


def test_readers_see_one_generation_whatever_is_swapped(volume: Callable[..., Any], watch: Callable[..., Any]) -> None:
    """Under two hundred swaps, generation and contents of every snapshot belong together (row L8)."""
    one = volume("a", {"a.yaml": "1", "b.yaml": "1"})
    watched = watch(one.folder, watching=BUSY)
    stop, seen = threading.Event(), set()

    def request() -> None:
        while not stop.wait(0.0001):
            snapshot = watched.store.current
            seen.add((snapshot.generation, *snapshot.policies.files.values()))

    reader = threading.Thread(target=request)
    reader.start()
    for number in range(2, 202):
        one.swap({"a.yaml": str(number), "b.yaml": str(number)})
        watched.wait(number - 1)
    stop.set()
    reader.join()
    assert seen <= {(number, str(number).encode(), str(number).encode()) for number in range(1, 202)}


@pytest.mark.parametrize(("share", "wake"), [(100, False), (10, True)], ids=["polls", "hints"])
def test_watching_costs_a_bounded_share(
    share: int, wake: bool, tmp_path: Path, watch: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many files there are and however often they are touched: a hundredth for polls, a tenth for hints."""
    for number in range(60):
        (tmp_path / f"{number}.yaml").write_text("a")
    watched = watch(tmp_path, watching=Watching(interval=0, hints=False))
    monkeypatch.setattr("authz.store.store.POLL_SHARE", 100)
    store, read, costs = watched.store, watched.store._read, []
    looked = threading.Semaphore(0)

    def counted() -> Any:
        if wake:
            store._wake.set()
        found = read()
        costs.append((time.monotonic(), store._cost))
        looked.release()
        return found

    store._read = counted
    assert all(looked.acquire(timeout=20) for _ in range(4))
    store._read = read
    (begun, _), (ended, _) = costs[0], costs[3]
    assert ended - begun >= 0.9 * share * sum(cost for _, cost in costs[:3])


def test_a_process_ends_although_its_store_watches(tmp_path: Path) -> None:
    """No thread of the store keeps a process alive."""
    (tmp_path / "a.yaml").write_text("a")
    program = (
        "import sys; from pathlib import Path; from authz.store import PolicyStore\n"
        "class C:\n def compile(self, files): return type('P', (), {'digest': ''})\n"
        "s = PolicyStore([Path(sys.argv[1])], C(), on_event=print); s.load(); s.start()"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], timeout=20, check=False, cwd=os.getcwd())  # noqa: PTH109
    assert done.returncode in (0, -signal.SIGPIPE)
