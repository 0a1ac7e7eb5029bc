"""Outcomes to record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authz.model import (
    ANONYMOUS,
    UNLIMITED,
    Decision,
    DocumentTrace,
    Effect,
    Mode,
    Outcome,
    Peer,
    Reason,
    Request,
)

if TYPE_CHECKING:
    from collections.abc import Callable

CANARY = "canary-5ecret"


def request(**changes: object) -> Request:
    """Return a request that carries a secret wherever a request can carry one."""
    values: dict[str, object] = {
        "id": "r-1",
        "method": "POST",
        "scheme": "https",
        "host": "api.example.com",
        "port": 443,
        "path": "/v1/orders",
        "query": f"access_token={CANARY}&page=2&{CANARY}",
        "protocol": "HTTP/1.1",
        "time": 1_790_000_000.0,
        "headers": {
            "authorization": f"Bearer {CANARY}",
            "cookie": f"session={CANARY}",
            "x-api-key": CANARY,
            "user-agent": "curl/8",
        },
        "body": CANARY.encode(),
        "source": Peer(ip="10.0.0.1", port=1234),
        "destination": Peer(ip="10.0.0.2", port=80),
    }
    return Request(**(values | changes))  # type: ignore[arg-type]


@pytest.fixture
def outcome() -> Callable[..., Outcome]:
    """Return a maker of outcomes; keywords change fields."""

    def make(**changes: object) -> Outcome:
        trace = DocumentTrace(
            name="orders", kind="Policy", mode=Mode.ENFORCE, outcome="allow", rule="writers"
        )  # fmt: skip
        decision = Decision(
            effect=Effect.ALLOW, reason=Reason.ALLOWED, status=200, policy="orders", rule="writers", documents=(trace,)
        )
        values: dict[str, object] = {
            "id": "d-1",
            "decision": decision,
            "request": request(),
            "client_ip": "10.0.0.1",
            "identity": ANONYMOUS,
            "usage": UNLIMITED,
            "generation": 3,
            "policy_digest": "abc",
            "started": 1_790_000_000.25,
            "duration": 0.000_123_4,
        }
        return Outcome(**(values | changes))  # type: ignore[arg-type]

    return make
