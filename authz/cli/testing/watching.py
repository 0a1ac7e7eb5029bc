"""`--watch`: once now, and again whenever something under the paths has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import watchfiles

from authz.cli.output import tell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from threading import Event


def again(paths: Callable[[], Sequence[Path]], do: Callable[[], None], stop: Event | None = None) -> None:
    """Do it, and again after each change below the paths, until interrupted or stopped.

    The folders of files are watched, for editors put a new file in the place of the old one.
    """
    folders = sorted({path if path.is_dir() else path.parent for path in paths()})
    do()
    tell("waiting for changes; Ctrl-C ends")
    for _ in watchfiles.watch(*folders, stop_event=stop, raise_interrupt=False):
        do()
