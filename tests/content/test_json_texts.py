"""Bodies of every kind, sent all the way through `Check` (rows I1, B5 to B8).

The files follow JSONTestSuite: `y_` is JSON, `n_` is none, `i_` is for each reader to decide. A small set of our own
lies beside this file; `AUTHZ_JSON_TEST_SUITE` names a folder with the whole suite (`test_parsing`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from authz.content.json import JSONError, loads
from authz.engine import Engine
from authz.limits.memory import MemoryLimiter
from authz.server.deciding import compiler, parts
from authz.store import Snapshot
from authz.testing.asking import Asked, Call, message

OURS = sorted((Path(__file__).parent / "json_texts").glob("*.json"))
SUITE = Path(os.environ.get("AUTHZ_JSON_TEST_SUITE", "/nowhere"))

STRICTER = ("y_object_duplicated_key",)
"""What is JSON and refused all the same: two readers could read it differently."""

POLICY = b"""
apiVersion: authz/v1
kind: Policy
metadata: {name: any-json}
spec:
  match: [{paths: ["/**"]}]
  validate: [{name: body, schema: {}}]
  rules: [{name: all, allow: true}]
"""


def unexpected(error: BaseException) -> None:
    """Raise what nobody expected."""
    raise error


@pytest.fixture(name="check", scope="module")
def _check() -> Callable[[bytes], CheckResponse]:
    """Return a function from a body to the answer of a service whose one policy takes any JSON."""
    snapshot = Snapshot(policies=compiler("auto").compile({"p.yaml": POLICY}), generation=1, loaded_at=0.0)
    engine = Engine(parts(snapshot=lambda: snapshot, limiter=MemoryLimiter(), client_ip=lambda _: "", fault=unexpected))

    def check(body: bytes) -> CheckResponse:
        headers = (("content-type", "application/json"),)
        call = Call()
        engine.check(message(Asked(method="POST", url="https://api.example.com/", headers=headers, body=body)), call)
        return CheckResponse.FromString(call.response)

    return check


def judged(file: Path, check: Callable[[bytes], CheckResponse]) -> None:
    """Check that a file gets the answer that its name and our stricter rules say."""
    body = file.read_bytes()
    answer = check(body)
    allowed = answer.HasField("ok_response")
    assert answer.HasField("status"), "an answer without a status is an allow to Envoy"
    assert (answer.status.code == 0) is allowed
    if not allowed:
        assert answer.denied_response.status.code == 400
    if file.name.startswith("n_") or file.name.startswith(STRICTER):
        assert not allowed
    elif file.name.startswith("y_"):
        assert allowed
    else:
        assert allowed is _is_read(body)


def _is_read(body: bytes) -> bool:
    try:
        loads(body)
    except JSONError:
        return False
    return True


@pytest.mark.parametrize("file", OURS, ids=lambda file: file.stem)
def test_a_body_is_json_with_one_meaning_or_refused(file: Path, check: Callable[[bytes], CheckResponse]) -> None:
    """I1, B5 to B8: duplicates, traps of encodings and numbers, and bombs are answered with 400, JSON with an allow."""
    judged(file, check)


def test_there_are_files_of_every_kind() -> None:
    """The set beside this file is never empty, whatever is installed."""
    kinds = [file.name[:2] for file in OURS]
    assert min(kinds.count(kind) for kind in ("y_", "n_", "i_")) >= 8


@pytest.mark.skipif(not SUITE.is_dir(), reason="AUTHZ_JSON_TEST_SUITE names no folder of JSONTestSuite's files")
def test_the_whole_suite(check: Callable[[bytes], CheckResponse]) -> None:
    """Every file of the suite is answered, and accepted or refused as it says."""
    files = sorted(SUITE.glob("*.json"))
    assert len(files) > 300
    for file in files:
        judged(file, check)
