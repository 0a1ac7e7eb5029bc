"""User names and passwords through a real Envoy."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from authz.identity.passwords import hashed
from tests.e2e.conftest import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.conftest import Answer, Edge

pytestmark = pytest.mark.slow

PASSWORD = "canary: horse"
POLICIES = """
apiVersion: authz/v1
kind: IdentityProvider
metadata: {name: office}
spec:
  basic: {users: users.json, realm: back office}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: all}
spec:
  match: [{paths: ["/**"]}]
  identity: {providers: [office]}
  rules:
    - name: all
      allow: 'true'
      request_headers: {set: {x-subject: "${identity.subject}"}, remove: [authorization]}
"""


def test_a_user_logs_in_through_envoy(run: Callable[..., Edge], tmp_path: Path) -> None:
    """Envoy passes on the challenge; the service behind it learns the user and never the password, nor does a record.

    Envoy waits a quarter of a second: on a slow machine the first answer may be 503, and then the next is right.
    """
    policies = tmp_path / "policies"
    policies.mkdir()
    (policies / "all.yaml").write_text(POLICIES)
    (policies / "users.json").write_text(json.dumps([{"id": "alice", "hash": hashed(PASSWORD)}]))
    edge = run(policies=policies)

    def login(password: str) -> Answer:
        pair = base64.b64encode(f"alice:{password}".encode()).decode()
        answers: list[Answer] = []

        def decided() -> bool:
            answers.append(edge.ask("GET", "/orders", {"authorization": f"Basic {pair}"}))
            return answers[-1].status != 503

        eventually(decided)
        return answers[-1]

    for refused in (edge.ask("GET", "/orders"), login("canary: guess")):
        assert (refused.status, refused["www-authenticate"]) == (401, 'Basic realm="back office", charset="UTF-8"')
    seen = login(PASSWORD).seen["headers"]
    assert (seen["x-subject"], "authorization" in seen) == ("alice", False)
    assert "canary" not in edge.service.records_file.read_text() + edge.service.log_file.read_text()
