"""A real Envoy for tests: before it a socket, behind it an upstream, beside it the service's own transport.

Envoy runs `envoy/sidecar.yaml`, once for each scheme, with peers as the tests give them. It asks over gRPC, and is
answered by the engine of the trial that is under way; the time it states is exchanged for the test's, for nobody can
move Envoy's clock. What the caller and the upstream then see is what is compared.
"""

from __future__ import annotations

import copy
import subprocess
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest
from authz.cli.demo import sidecar
from authz.cli.demo.upstream import Seen, Upstream
from authz.cli.interrupts import unbroken
from authz.cli.testing.speaking import speak
from authz.errors import Unavailable
from authz.model import BodyState
from authz.testing.answers import denied
from authz.testing.asking import Asked
from authz.testing.stage import Skipped
from authz.transport import open_server
from authz.wire import LAST_RESORT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from authz.engine import Engine
    from authz.model import Reason
    from authz.transport import Call

READY_WITHIN = 30.0
"""Seconds that Envoy may take to ask its first question."""

PROXY_PROTOCOL = "envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol"


class _Front:
    """What Envoy asks: the engine of the trial that is under way, at the trial's time."""

    def __init__(self) -> None:
        self.engine: Engine | None = None
        self.now = 0.0
        self.asked = threading.Event()

    def check(self, message: bytes, call: Call) -> None:
        self.asked.set()
        if self.engine is None:
            call.answer(LAST_RESORT)
            return
        request = CheckRequest.FromString(message)
        request.attributes.request.time.FromNanoseconds(round(self.now * 1e9))
        self.engine.check(request.SerializeToString(), call)

    def refuse(self, _reason: Reason, call: Call) -> None:
        call.answer(LAST_RESORT)

    def health(self, _service: str) -> bool | None:
        return True


class Edge:
    """Upstream, transport and Envoy, from `start` to `stop`; `exchange` brings one request at a time through them."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._front = _Front()
        self._seen: list[Seen] = []
        self._running = ExitStack()
        plain = sidecar.free_port(0)
        self._ports = {"http": plain, "https": sidecar.free_port(plain + 1)}

    def start(self) -> None:
        """Start everything and wait until Envoy asks; raises `Unavailable` where that does not happen."""
        socket = self._scratch / "authz.sock"
        server = open_server(self._front, listen=[f"unix://{socket}"], last_resort=LAST_RESORT)
        server.start()
        self._running.callback(server.stop, 1.0)
        upstream = Upstream(self._seen.append)
        upstream.start()
        self._running.callback(upstream.stop)
        configuration = _configured(sidecar.configuration(0, socket, upstream.port), self._ports)
        log = self._running.enter_context((self._scratch / "envoy.log").open("w"))
        command = sidecar.command(configuration, self._scratch)
        with unbroken():
            envoy = subprocess.Popen(command, stdout=log, stderr=log, text=True)
            self._running.callback(sidecar.end, envoy)
        self._wait(envoy)

    def stop(self) -> None:
        """Stop what was started, the last first."""
        self._running.close()

    def exchange(self, engine: Engine, asked: Asked) -> Mapping[str, Any]:
        """Bring a request through Envoy to an engine; return what caller and upstream saw, as arguments of `Answer`."""
        if why := _impossible(asked):
            raise Skipped(why)
        front, scheme = self._front, asked.parts[0]
        front.engine, front.now = engine, asked.time
        front.asked.clear()
        self._seen.clear()
        heard = speak(self._ports[scheme], asked)
        if not front.asked.is_set():
            raise Skipped(f"Envoy answered {heard.status} itself and did not ask")
        passed = self._seen[-1] if self._seen else None
        body = "" if passed is not None else heard.body
        carried = denied({"response_headers": heard.headers, "body": body})
        return {**carried, "status": heard.status, **({} if passed is None else _passed(asked, passed))}

    def _wait(self, envoy: subprocess.Popen[str]) -> None:
        deadline = time.monotonic() + READY_WITHIN
        for scheme, port in self._ports.items():
            self._front.asked.clear()
            while not self._asks(scheme, port):
                if envoy.poll() is not None:
                    raise Unavailable(f"envoy ended with status {envoy.returncode}: see its log\n{self._log()}")
                if time.monotonic() > deadline:
                    raise Unavailable(f"envoy asked nothing within {READY_WITHIN:.0f} seconds\n{self._log()}")
                time.sleep(0.05)

    def _asks(self, scheme: str, port: int) -> bool:
        try:
            speak(port, Asked(method="GET", url=f"{scheme}://localhost/"))
        except (OSError, Skipped):
            return False
        return self._front.asked.is_set()

    def _log(self) -> str:
        return (self._scratch / "envoy.log").read_text()[-2000:]


def _configured(configuration: Any, ports: Mapping[str, int]) -> Any:  # noqa: ANN401 - YAML as Envoy reads it
    """Return a configuration with a listener for each scheme, peers that are told, and time to answer."""
    (first,) = configuration["static_resources"]["listeners"]
    typed = {"@type": f"type.googleapis.com/{PROXY_PROTOCOL}"}
    first["listener_filters"] = [{"name": "envoy.filters.listener.proxy_protocol", "typed_config": typed}]
    listeners = []
    for scheme, port in ports.items():
        listener = copy.deepcopy(first)
        listener["name"] = scheme
        listener["address"]["socket_address"]["port_value"] = port
        manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
        manager["scheme_header_transformation"] = {"scheme_to_overwrite": scheme}
        manager["http_filters"][0]["typed_config"]["grpc_service"]["timeout"] = "10s"
        listeners.append(listener)
    configuration["static_resources"]["listeners"] = listeners
    return configuration


def _impossible(asked: Asked) -> str:
    """Return why a request cannot be put to Envoy, or nothing."""
    reasons = {
        "a principal needs a certificate, and this Envoy speaks without TLS": asked.principal,
        "the metadata would have to come from filters that this Envoy does not have": asked.metadata,
        "context extensions belong to a route, and this Envoy has one route": asked.extensions,
        f"this Envoy is spoken to in HTTP/1.1, not {asked.protocol}": asked.protocol != "HTTP/1.1",
        f"a body that is {asked.body_state} cannot be sent": asked.body_state not in {None, BodyState.COMPLETE},
    }
    return next((why for why, holds in reasons.items() if holds), "")


def _passed(asked: Asked, seen: Seen) -> Mapping[str, Any]:
    """Return what became of a request that reached the upstream."""
    headers: dict[str, tuple[str, ...]] = {}
    for name, value in seen.headers:
        headers[name.lower()] = (*headers.get(name.lower(), ()), value)
    query = dict(parse_qsl(seen.target.partition("?")[2], keep_blank_values=True))
    before = dict(parse_qsl(asked.url.partition("?")[2], keep_blank_values=True))
    return {
        "request_headers": headers,
        "removed_headers": tuple(name for name, _ in asked.headers if name not in headers),
        "query": query,
        "removed_query": tuple(name for name in before if name not in query),
    }
