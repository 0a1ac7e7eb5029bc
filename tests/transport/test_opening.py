"""Which transport serves, and what happens when the fast one does not work here."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from authz.errors import SettingsFaults, Unavailable
from authz.transport import TransportName, open_server, opening
from authz.transport.aio import AioServer
from authz.transport.fast import FastServer

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 10.0


def _answering(check: Callable[[bytes, Any], None]) -> Callable[[Any], FastServer]:
    """Return what makes a fast server whose calls are all answered by `check`."""

    def made(setup: Any) -> FastServer:
        methods = tuple(msgspec.structs.replace(method, check=check) for method in setup.methods)
        return FastServer(msgspec.structs.replace(setup, methods=methods))

    return made


def _silent(_message: bytes, _call: Any) -> None:
    pass


def _garble(_message: bytes, call: Any) -> None:
    call.answer(b"garbled")


def _not_there() -> Callable[..., Any]:
    raise ImportError("cannot import name 'CompletionQueue'")


def test_auto_is_fast_here(serve: Any) -> None:
    """With the grpcio of this run the fast transport proves itself, and nothing was fallen back from."""
    server = serve(transport=TransportName.AUTO)
    assert server.transport is TransportName.FAST
    assert server.fallback_reason is None


@pytest.mark.parametrize(
    ("load", "reason"),
    [
        (lambda: _answering(_silent), "DEADLINE_EXCEEDED|Deadline Exceeded"),
        (lambda: _answering(_garble), "garbled"),
        (_not_there, "ImportError: cannot import name"),
    ],
)
def test_auto_falls_back(
    serve: Any, connect: Any, monkeypatch: Any, caplog: Any, load: Callable[[], Any], reason: str
) -> None:
    """A fast transport that says nothing, says nonsense or is not there: aio serves, with a warning and the reason."""
    monkeypatch.setattr(opening, "load_fast", load)
    monkeypatch.setattr(opening, "PROOF_SECONDS", 0.3)
    with caplog.at_level(logging.WARNING):
        server = serve(transport=TransportName.AUTO)
    assert server.transport is TransportName.AIO
    assert re.search(reason, server.fallback_reason)
    assert "serving with grpc.aio" in caplog.text
    assert connect(server).check(b"x", timeout=PATIENCE) == b"answer to x"


def test_fast_does_not_fall_back(desk: Any, monkeypatch: Any) -> None:
    """Who asks for the fast transport gets it or an error."""
    monkeypatch.setattr(opening, "load_fast", _not_there)
    with pytest.raises(Unavailable, match="does not work with this grpcio"):
        open_server(desk, listen=["127.0.0.1:0"], last_resort=b"x", transport=TransportName.FAST)


def test_aio_is_not_asked_to_prove_the_other(desk: Any, monkeypatch: Any) -> None:
    """Who asks for aio never loads the fast transport."""
    monkeypatch.setattr(opening, "load_fast", _not_there)
    server = open_server(desk, listen=["127.0.0.1:0"], last_resort=b"x", transport=TransportName.AIO)
    assert server.transport is TransportName.AIO
    assert server.fallback_reason is None


def test_both_transports_pass_the_proof() -> None:
    """The proof asks for nothing that only one of them has."""
    opening.prove(FastServer)
    opening.prove(AioServer)


def test_addresses_are_checked_first(desk: Any) -> None:
    """An address that is none is a fault before anything is opened."""
    with pytest.raises(SettingsFaults):
        open_server(desk, listen=["nonsense"], last_resort=b"x")
