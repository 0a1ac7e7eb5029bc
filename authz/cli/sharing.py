"""Work shared out to several processes, each begun anew: what is done comes back as it is done.

Ctrl-C ends them without a word, and at any moment: it is held up while they are started, and strikes each when it is
ready. What the work is, is not known here.
"""

from __future__ import annotations

import multiprocessing
import signal
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from authz.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")
R = TypeVar("R")

_INTERRUPT = {signal.SIGINT}


def shared_out(
    work: Callable[[T], R], items: Sequence[T], workers: int, begin: Callable[[], object] | None = None
) -> Iterator[tuple[int, R]]:
    """Yield the number of each item and what came of it, as it is done; each process calls `begin` first, if any.

    Raises what the work raises, and `Unavailable` where a process was killed.
    """
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, spawning, initializer=partial(_begun, begin)) as pool:
        try:
            with _held():  # the processes start with the first items
                futures: dict[Future[R], int] = {pool.submit(work, item): at for at, item in enumerate(items)}
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool as error:
            mend = "was there memory for all of them? Fewer workers take less"
            raise Unavailable(f"a process that worked for this one was killed ({mend})") from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _held() -> Iterator[None]:
    """Let no Ctrl-C through; processes that are started meanwhile begin like that."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPT)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begun(begin: Callable[[], object] | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPT)
    if begin is not None:
        begin()
