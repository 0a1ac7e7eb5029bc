"""No stream of a running service tells a secret, and none of them can hold up an answer (rows O1, O2, O4)."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import ECAlgorithm

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from authz.cli.request import Asked, message
from authz.identity.passwords import hashed
from tests.server.conftest import Service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

CANARY = "canary5ecret"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SIGNER = ec.generate_private_key(ec.SECP256R1())
TOKEN = jwt.encode(
    {"iss": "https://login.example.com/", "aud": "shop", "sub": "alice", "exp": 4_000_000_000, "note": CANARY},
    SIGNER, "ES256", {"kid": "1"},
)  # fmt: skip
LOGIN = b64encode(f"alice:{CANARY}-good".encode()).decode()
POLICIES = """\
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
    jwks: {file: jwks.json}
---
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: office}
spec:
  basic: {users: users.yaml}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: all}
spec:
  match: [{paths: ["/**"]}]
  identity: {providers: [partner, staff, office], required: false}
  rules:
    - {name: converts, deny: 'request.path == "/converts" && int(request.headers["x-secret"]) > 1'}
    - {name: looks-up, deny: 'request.path == "/looks-up" && request.headers[request.headers["x-secret"]] == "1"'}
    - {name: reads, deny: 'request.path == "/reads" && request.json.name == 1'}
    - {name: all, allow: 'true'}
  limits:
    - {name: few, key: 'request.headers[?"x-secret"].orValue("")', rate: 2/minute, on_error: local}
"""
ASKED = [
    {"authorization": f"Bearer {TOKEN}", "cookie": f"session={CANARY}"},
    {"authorization": f"Bearer {TOKEN[:-9]}{CANARY}"},
    {"authorization": f"Basic {CANARY}", "proxy-authorization": CANARY},
    {"authorization": f"Basic {LOGIN}"},
    {"authorization": f"Basic {b64encode(f'alice:{CANARY}-bad'.encode()).decode()}"},
    {"x-api-key": f"azk_{CANARY}-good"},
    {"x-api-key": f"azk_{CANARY}-bad"},
    {"x-secret": CANARY},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write policies that identify callers, and rules that stumble over secrets."""
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "all.yaml").write_text(POLICIES)
    digest = hashlib.sha256(f"azk_{CANARY}-good".encode()).hexdigest()
    (folder / "keys.yaml").write_text(json.dumps([{"id": "one", "sha256": digest, "subject": "one"}]))
    (folder / "users.yaml").write_text(json.dumps([{"id": "alice", "hash": hashed(f"{CANARY}-good")}]))
    key = ECAlgorithm.to_jwk(SIGNER.public_key(), as_dict=True) | {"kid": "1", "alg": "ES256"}
    (folder / "jwks.json").write_text(json.dumps({"keys": [key]}))
    return folder


@pytest.fixture
def service(tmp_path: Path, folder: Path, collector: Any) -> Iterator[Service]:
    """Start the service with every stream on, at the level that says most, and a Redis that is not there."""
    flags = ("--log-level", "debug", "--drain", "0", "--redis", f"redis://user:{CANARY}@127.0.0.1:1/0")
    (tmp_path / "signing.pem").write_bytes(SIGNER.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    flags += ("--signing-keys", str(tmp_path / "signing.pem"), "--signing-issuer", "authz", "--signing-audience", "any")
    flags += ("--otlp-endpoint", collector.url, "--otlp-interval", "200ms")
    environment = {"OTEL_EXPORTER_OTLP_HEADERS": f"authorization={CANARY}"}
    service = Service(tmp_path, *flags, policies=folder, environment=environment)
    yield service
    service.process.kill()
    service.end()
    for stream in (service.process.stdout, service.process.stderr):
        assert stream is not None
        stream.close()


def ask(address: str) -> list[CheckResponse]:
    """Ask with a secret wherever a request can carry one."""
    with grpc.insecure_channel(f"unix:{address}") as channel:
        check = channel.unary_unary(
            "/envoy.service.auth.v3.Authorization/Check", response_deserializer=CheckResponse.FromString
        )
        answers = []
        for path in ("/orders", "/converts", "/looks-up", "/reads"):
            for headers in ASKED:
                asked = Asked(
                    method="POST", url=f"{path}?access_token={CANARY}&{CANARY}", headers=tuple(headers.items()),
                    body=json.dumps({"name": CANARY}).encode(), time=time.time(),
                )  # fmt: skip
                traced = (("traceparent", f"00-{TRACE}-00f067aa0ba902b7-01"),)
                answers.append(check(message(asked), timeout=10, wait_for_ready=True, metadata=traced))
        check(b"\xff" + CANARY.encode(), timeout=10)
        return answers


def test_no_stream_tells_a_secret(service: Service, collector: Any) -> None:
    """O2: header, cookie, key, token, password, query, body, what we sign: in no record, log, metric, span or page."""
    serving = service.wait("serving")
    answers = ask(str(service.socket))
    streams: dict[str, object] = {}
    for page in (
        "/",
        "/status",
        "/metrics",
        "/api/state",
        "/api/policies",
        "/api/exceptions",
        "/api/denied",
        "/.well-known/jwks.json",
    ):
        with urllib.request.urlopen(f"http://127.0.0.1:{serving['admin_port']}{page}", timeout=10) as answer:
            streams[page] = answer.read().decode()
    collector.wait(lambda it: len(it.spans) == len(answers) and it.metrics)
    service.process.terminate()
    assert service.end() == 0
    records = [service.records.get_nowait() for _ in range(service.records.qsize())]
    decisions = [record for record in records if record["format"] == "authz.record/v1"]
    assert len(decisions) == len(answers) + 1
    assert {record["reason"] for record in decisions} >= {
        "allowed", "rule_error", "invalid_credentials", "malformed", "rate_limited",
    }  # fmt: skip
    assert {record["identity"]["provider"] for record in decisions} >= {"partner", "staff", "office"}
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE} == {one["trace_id"] for one in decisions} - {""}
    streams |= {"records": records, "log": service.log, "otlp": collector.raw, "answers": [*map(str, answers)]}
    signed = {header.header.value for answer in answers for header in answer.ok_response.headers}
    assert len(signed) > 1
    for name, said in streams.items():
        assert name == "answers" or not [token for token in signed if token.rpartition(".")[2] in str(said)], name
        assert CANARY not in str(said), name
        assert LOGIN not in str(said), name


def test_a_stdout_that_nobody_reads_changes_no_answer(tmp_path: Path, folder: Path) -> None:
    """O4: with the pipe full, checks are answered, and by the policies."""
    socket = tmp_path / "authz.sock"
    command = [sys.executable, "-m", "authz", "serve", "--policies", str(folder), "--listen", f"unix://{socket}"]
    command += ["--admin", "off", "--drain", "0", "--log-level", "error"]
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while os.write(writing, b"\n" * 65536):
            pass
    os.set_blocking(writing, True)
    process = subprocess.Popen(command, stdout=writing)
    os.close(writing)
    try:
        before = [answer.status.code for answer in ask(str(socket))]
        assert len(before) == 4 * len(ASKED)
        assert set(before) <= {0, 7, 8, 16}
        assert 0 in before
    finally:
        process.kill()
        process.wait()
        os.close(reading)
