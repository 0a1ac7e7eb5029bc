"""Outcomes to show."""

from __future__ import annotations

from authz.model import ANONYMOUS, UNLIMITED, Decision, Effect, Identity, Outcome, Peer, Reason, Request

DENIED = Decision(effect=Effect.DENY, reason=Reason.DENY_RULE, status=403, policy="orders", rule="no-writes")
ALLOWED = Decision(effect=Effect.ALLOW, reason=Reason.ALLOWED, status=200, policy="orders", rule="readers")


def outcome(
    number: int = 1,
    decision: Decision = DENIED,
    *,
    ip: str = "10.0.0.1",
    path: str = "/",
    identity: Identity = ANONYMOUS,
) -> Outcome:
    """Return the outcome of one request."""
    request = Request(
        id="r", method="GET", scheme="https", host="api.example.com", port=443, path=path, query="", protocol="HTTP/2",
        time=0.0, headers={}, source=Peer(ip=ip), destination=Peer(),
    )  # fmt: skip
    return Outcome(
        id=f"d-{number}", decision=decision, request=request, client_ip=ip, identity=identity, usage=UNLIMITED,
        generation=1, policy_digest="",
    )  # fmt: skip
