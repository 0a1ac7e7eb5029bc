"""The composition root: every object of the service is built here, started, and taken down.

`deciding` joins what decides, `building` makes a process around it, `process` starts and stops it, `running` takes it
from its first signal to its last, `supervisor` keeps several alive. `logs`, `events` and `numbers` say what happens.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from authz.config import Loaded

_log = logging.getLogger(__name__)


def serve(loaded: Loaded, worker: int | None = None) -> int:
    """Serve until told to stop and return the exit code. `worker` is the number of this one of several."""
    from authz.server import logs, supervisor  # noqa: PLC0415 - so that naming this package loads nothing

    settings = loaded.settings
    logs.set_up(settings.log_level, worker)
    if settings.workers > 1 and worker is None:
        _say(loaded)
        return supervisor.Supervisor(settings.workers, supervisor.command(), drain=settings.drain).run()
    from authz.server.running import run  # noqa: PLC0415 - a supervisor never loads gRPC

    if worker is None:
        _say(loaded)
    return run(settings, worker)


def _say(loaded: Loaded) -> None:
    for variable in loaded.ignored:
        _log.warning("%s is no setting and is ignored", variable)
