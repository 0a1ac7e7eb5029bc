"""Where what was decided goes: records, numbers, spans, and what the console shows; made from settings."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from authz import __version__
from authz.audit import Chain, LineWriter, ReadsForm, ReadsWriter, Recorder, Sampling, open_sink, resumed
from authz.console import Denied, Tail
from authz.errors import Unavailable
from authz.server import numbers
from authz.server.logs import FaultLog
from authz.server.secret import key_in
from authz.server.turns import Turn
from authz.telemetry import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from authz.audit import Sink
    from authz.config import Settings
    from authz.engine import Observer
    from authz.telemetry.otlp import Exporter

_log = logging.getLogger("authz")


class Outputs(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of every outcome. `console` says whether there is an admin port to show anything on.

    With `fail_closed` nobody is to be let in while records can't be kept.
    """

    metrics: Metrics
    recorder: Recorder | None
    exporter: Exporter | None
    tail: Tail
    denied: Denied
    console: bool
    fail_closed: bool

    @property
    def unrecorded(self) -> Callable[[], bool] | None:
        """What says that a record would be lost, where that is a reason to deny."""
        return self.recorder.stuck if self.recorder is not None and self.fail_closed else None

    @property
    def observers(self) -> tuple[Observer, ...]:
        """Return who is to be told, in order: numbers only where there is somewhere to read them."""
        counted = self.metrics if self.console or self.exporter else None
        spans = self.exporter.spans if self.exporter else None
        shown = (self.tail, self.denied) if self.console else ()
        return tuple(filter(None, (counted, self.recorder, spans, *shown)))

    def event(self, event: Mapping[str, object]) -> None:
        """Record what is no decision, where there are records."""
        if self.recorder is not None:
            self.recorder.event(event)

    def show(self) -> None:
        """Let the numbers say how the outputs themselves are."""
        if self.recorder is not None:
            numbers.show_recorder(self.metrics, self.recorder)
        if self.exporter is not None:
            numbers.show_exporter(self.metrics, self.exporter)


def outputs(settings: Settings, worker: int) -> Outputs:
    """Return the outputs of one process. Raises `Unavailable` where one can't be written to."""
    metrics, lines = Metrics(), LineWriter(worker, reads_writer(settings))
    return Outputs(
        metrics=metrics,
        recorder=_recorder(settings, worker, lines),
        exporter=_exporter(settings, metrics, worker),
        tail=Tail(lines),
        denied=Denied(),
        console=settings.admin is not None,
        fail_closed=settings.record.fail_closed,
    )


def reads_writer(settings: Settings) -> ReadsWriter:
    """Return what writes down what decisions depended on, in the form that is wanted."""
    record = settings.record
    return ReadsWriter(ReadsForm(record.reads), key_in(record.key_file) if record.key_file else os.urandom(32))


def _recorder(settings: Settings, worker: int, lines: LineWriter) -> Recorder | None:
    record = settings.record
    if record.sink == "off":
        return None
    sampling = Sampling(allow=record.allow, deny=record.deny, redirect=record.redirect)
    name = record.sink if record.file is None else settings.of_worker(record.file, worker)
    try:
        return Recorder(
            _sink(settings, name, worker), lines=lines, sampling=sampling, chain=_chain(settings, name),
            fault=FaultLog(_log, "records were not written"),
        )  # fmt: skip
    except OSError as error:
        raise Unavailable(f"can't write records to {name}: {error.strerror}") from error


def _sink(settings: Settings, name: str, worker: int) -> Sink:
    if name != "otlp" or settings.otlp.endpoint is None:
        return open_sink(name, Turn() if settings.workers > 1 else None)
    with _extra():
        from authz.telemetry.otlp_logs import LogSink  # noqa: PLC0415 - see `_exporter`
    return LogSink(settings.otlp.endpoint, version=__version__, worker=worker)


def _chain(settings: Settings, file: str) -> Chain | None:
    record = settings.record
    if not record.chain:
        return None
    return resumed(Path(file), key_in(record.key_file) if record.key_file else b"")


def _exporter(settings: Settings, metrics: Metrics, worker: int) -> Exporter | None:
    otlp = settings.otlp
    if otlp.endpoint is None:
        return None
    with _extra():
        from authz.telemetry.otlp import Exporter  # noqa: PLC0415 - an extra, and a fifth of the memory of a process
    return Exporter(otlp.endpoint, metrics, interval=otlp.interval, version=__version__, worker=worker)


@contextmanager
def _extra() -> Iterator[None]:
    """Say what is to be installed where OpenTelemetry is not, or is too old."""
    try:
        yield
    except ImportError as error:
        raise Unavailable("otlp.endpoint needs the extra: pip install 'envoy-cel-authz[otlp]'") from error
