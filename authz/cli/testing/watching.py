"""`--watch`: once now, and again whenever something under the paths has changed."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import watchfiles

from authz.cli.output import tell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from threading import Event

T = TypeVar("T")


def again(paths: Callable[[], Sequence[Path]], do: Callable[[], T], stop: Event | None = None) -> T:
    """Do it, and again after each change below the paths, until interrupted or stopped; return what came of it last.

    The folders of files are watched, for editors put a new file in the place of the old one.
    """
    folders = sorted({path if path.is_dir() else path.parent for path in paths()})
    done = do()
    with suppress(KeyboardInterrupt):
        tell("waiting for changes; Ctrl-C ends")
        for _ in watchfiles.watch(*folders, stop_event=stop):
            done = do()
    return done
