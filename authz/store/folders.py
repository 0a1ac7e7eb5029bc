"""Read everything that folders of policies hold, once and whole.

Kubernetes swaps a volume by renaming the link `..data`: the link is resolved once, everything is read from the
folder it names, and if any link has moved by the end, the reading is repeated. So a reading never mixes two
versions. A plain folder has no such moment; `swapped` says that a reading needs no second look.

Names that begin with a dot are skipped (`..data`, `.git`, an editor's swap file), and so are tests (`*_test.yaml`)
unless they are asked for. What a folder says of itself in such files (`MARKS`) is read and kept apart.
Whatever else can't be read is a fault: a missing folder, a folder without policies, an empty, vanished or
unreadable file, a pipe, more bytes than allowed. Nothing is left out in silence.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from authz.errors import Fault
from authz.store import provenance
from authz.store.checkout import head

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MAX_BYTES = 64 * 1024**2
MAX_FILES = 100_000
MAX_DEPTH = 32
MARK_BYTES = 16 * 1024**2
ATTEMPTS = 8
"""Readings that may be overtaken by a swap before that is a fault; a kubelet swaps once a minute at most."""

SIGNATURE = ".signature.json"
MARKS = (provenance.FILE, SIGNATURE)
"""Files at the top of a folder that are about it."""

_DATA = "..data"
_DOCUMENTS = (".yaml", ".yml")
_TESTS = ("_test.yaml", "_test.yml")


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """One source: `folder` is where it was read, `marks` what it says of itself, `head` the commit that is there."""

    source: str
    folder: str
    marks: Mapping[str, bytes]
    head: str


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What the folders held at one moment.

    `files` are contents by the path to show; `content` is equal for equal readings, faults included; `swapped` says
    that every file came through a `..data` link, so that none can be half-written. `origins` are of the sources that
    are folders.
    """

    files: Mapping[str, bytes]
    faults: tuple[Fault, ...]
    content: str
    swapped: bool
    origins: tuple[Origin, ...] = ()


def unreadable(fault: Fault) -> Reading:
    """Return the reading of folders that nothing can be said of but a fault."""
    return _reading({}, [fault], swapped=True)


def unhurried() -> None:
    """Pause for nobody."""


def read(
    sources: Sequence[Path],
    *,
    max_bytes: int = MAX_BYTES,
    tests: bool = False,
    pause: Callable[[], None] = unhurried,
) -> Reading:
    """Read folders and single files, with tests or without; raises nothing, what goes wrong is among the faults.

    `pause` is called between files, for those who read beside the serving of requests.
    """
    for _ in range(ATTEMPTS):
        walk = _Walk(max_bytes, tests=tests, pause=pause)
        for source in sources:
            walk.source(source)
        if walk.holds():
            return walk.reading()
    fault = Fault(file=str(sources[0]), message="is being swapped faster than it can be read")
    return _reading({}, [fault], swapped=False)


class _Walk:
    """One pass over all sources."""

    def __init__(self, max_bytes: int, *, tests: bool, pause: Callable[[], None]) -> None:
        self._left = max_bytes
        self._tests = tests
        self._pause = pause
        self._files: dict[str, bytes] = {}
        self._faults: list[Fault] = []
        self._links: dict[str, str] = {}
        self._plain = False
        self._again = False
        self._origins: list[Origin] = []

    def source(self, source: Path) -> None:
        before, self._again = len(self._files), False
        try:
            is_folder = stat.S_ISDIR(source.stat().st_mode)
        except OSError as error:
            self._fault(str(source), _cause(error))
            return
        if is_folder:
            self._folder(str(source), str(source), ())
            self._origin(str(source))
        else:
            self._file(os.path.join(self._resolved(str(source.parent)), source.name), str(source))  # noqa: PTH118
        if not any(map(self._is_wanted, list(self._files)[before:])) and not self._faults:
            self._fault(str(source), "is named twice" if self._again else "holds no policies (*.yaml)")

    def holds(self) -> bool:
        """Say whether every link still names what was read."""
        return all(os.path.realpath(link) == target for link, target in self._links.items())

    def reading(self) -> Reading:
        return _reading(
            self._files, self._faults, swapped=not self._plain, origins=self._origins, pause=self._pause
        )  # fmt: skip

    def _origin(self, source: str) -> None:
        """Read what a folder says of itself, and the commit it is at."""
        folder = self._resolved(source)
        marks: dict[str, bytes] = {}
        for name in MARKS:
            try:
                marks[name] = _content(f"{folder}/{name}", MARK_BYTES)
            except FileNotFoundError:
                continue
            except OSError as error:
                self._fault(f"{source}/{name}", _cause(error))
        self._origins.append(Origin(source=source, folder=folder, marks=marks, head=head(folder)))

    def _folder(self, place: str, shown: str, above: tuple[str, ...]) -> None:
        place = self._resolved(place)
        if place in above or len(above) >= MAX_DEPTH:
            self._fault(shown, "links back to a folder above it" if place in above else "is nested too deep")
            return
        try:
            with os.scandir(place) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self._fault(shown, _cause(error))
            return
        for entry in found:
            if not entry.name.startswith(".") and (self._tests or not is_test(entry.name)):
                self._entry(entry, f"{shown}/{entry.name}", (*above, place))

    def _entry(self, entry: os.DirEntry[str], shown: str, above: tuple[str, ...]) -> None:
        try:
            is_folder = entry.is_dir()
        except OSError as error:  # a link that leads to itself, or to where nobody may look
            self._fault(shown, _cause(error))
            return
        if not is_folder:
            self._file(entry.path, shown)
        elif entry.name.endswith(_DOCUMENTS):
            self._fault(shown, "is a folder")
        else:
            self._folder(entry.path, shown, above)

    def _resolved(self, folder: str) -> str:
        """Follow `..data` where there is one, and every other link, and remember what was found."""
        link = f"{folder}/{_DATA}"
        if not os.path.islink(link):  # noqa: PTH114 - called for every folder of every poll
            link = folder
        target = self._links.setdefault(link, os.path.realpath(link))
        if "/.." not in target:  # not in the `..timestamp` of a kubelet
            self._plain = True
        return target

    def _file(self, place: str, shown: str) -> None:
        self._pause()
        if shown in self._files:
            self._again = True
            return
        if len(self._files) >= MAX_FILES:
            self._fault(shown, f"is one file more than the {MAX_FILES} that are read")
            return
        try:
            content = _content(place, self._left)
        except OSError as error:
            self._fault(shown, _cause(error))
            return
        self._left -= len(content)
        if self._left < 0:
            self._fault(shown, "is too large", "reload.max_bytes bounds all files together")
        elif not content and shown.endswith(_DOCUMENTS):
            self._fault(shown, "is empty", "half-written, or left over: remove it")
        elif not shown.endswith(_DOCUMENTS) and shown.lower().endswith(_DOCUMENTS):
            self._fault(shown, "would not be served: names end in .yaml or .yml, in lower case", "rename it")
        else:
            self._files[shown] = content

    def _is_wanted(self, name: str) -> bool:
        """Say whether a file is what a source is given for; tests may be mounted by themselves."""
        return _is_policies(name) or (self._tests and is_test(name))

    def _fault(self, file: str, message: str, hint: str = "") -> None:
        self._faults.append(Fault(file=file, message=message, hint=hint))


def is_test(name: str) -> bool:
    """Say whether a file is one of tests."""
    return name.endswith(_TESTS)


def _is_policies(name: str) -> bool:
    return name.endswith(_DOCUMENTS) and not is_test(name)


def _content(place: str, limit: int) -> bytes:
    """Read a regular file, at most one byte more than `limit`; a pipe is refused rather than waited for."""
    with open(os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123 - a descriptor
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OSError(None, "is no regular file")
        most = max(limit, 0) + 1
        content = file.read(min(found.st_size + 1, most))  # memory for what is there, not for all that might be
        return content if len(content) <= found.st_size else content + file.read(most - len(content))


def _cause(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "does not exist"
    cause = error.strerror or type(error).__name__
    return cause if error.errno is None else f"can't be read: {cause[:1].lower()}{cause[1:]}"


def _reading(
    files: Mapping[str, bytes],
    faults: Sequence[Fault],
    *,
    swapped: bool,
    origins: Sequence[Origin] = (),
    pause: Callable[[], None] = unhurried,
) -> Reading:
    digest = hashlib.sha256()
    for name in sorted(files):
        pause()
        _add(digest, os.fsencode(name), files[name])
    for origin in origins:
        _add(digest, os.fsencode(origin.source), origin.head.encode())
        for name, content in origin.marks.items():
            _add(digest, name.encode(), content)
    for fault in sorted(faults):
        digest.update(os.fsencode(str(fault)))
    return Reading(
        files=files, faults=tuple(sorted(faults)), content=digest.hexdigest(), swapped=swapped, origins=tuple(origins)
    )


def _add(digest: hashlib._Hash, *parts: bytes) -> None:
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
