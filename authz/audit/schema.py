"""The JSON Schema of a record, with what each field says and an example of it, for who reads or queries records.

Fields and types come from `record`; the words stand here, and a test sees that none is missing or left over.
"""

from __future__ import annotations

from inspect import cleandoc
from typing import Any

import msgspec

from authz.audit.record import FORMAT, Record

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
_DOCUMENT = {"name": "orders", "kind": "Policy", "mode": "enforce", "outcome": "deny"}
_LIMIT = {"name": "orders/per-tenant", "remaining": 2, "reset": 41.5, "outcome": "ok"}

TOLD: dict[str, dict[str, tuple[str, object]]] = {
    "Record": {
        "format": ("What this is and in which version.", FORMAT),
        "id": ("The decision's own id, as in x-authz-decision-id.", "4f0c2a9b7d1e4c6a0000000000000007"),
        "time": ("When it was decided, RFC 3339.", "2026-11-23T12:00:00.000000Z"),
        "decision": ("What was decided: allow, deny, redirect or answer.", "deny"),
        "reason": ("Why, one word of a closed set.", "no_rule"),
        "status": ("The HTTP status of the answer; 200 where the request went on.", 403),
        "policy": ("The document that settled it; null where none did.", "orders"),
        "rule": ("The rule that settled it; null where none did.", "freeze"),
        "documents": ("What each selected document said.", [_DOCUMENT]),
        "limits": ("What each limit said.", [_LIMIT]),
        "request": ("What may be kept of the request; null where there was none to read.", None),
        "source": ("The address of the direct peer.", "10.1.2.3"),
        "principal": ("Who the mesh says the direct peer is.", "spiffe://cluster.local/ns/shop/sa/web"),
        "client": ("The address of the caller, behind the proxies that are trusted.", "198.51.100.7"),
        "identity": ("Who was identified.", {"provider": "staff", "subject": "alice", "issuer": "", "key_id": ""}),
        "reads": ("What the decision depended on, by attribute; secrets as fingerprints.", {"request.method": "GET"}),
        "generation": ("Which reading of the policies decided.", 3),
        "policy_digest": ("The digest of the policies that decided.", _DIGEST),
        "policy_commit": ("The commit they come from; empty where that is not known.", "152b608f"),
        "duration_us": ("How long it took, in microseconds.", 180),
        "trace_id": ("The trace the request belongs to; empty where there is none.", _TRACE),
        "worker": ("The process that decided.", 0),
        "detail": ("For the operator: why there was no request, or no identity.", "token expired"),
    },
    "Document": {
        "name": ("Its name.", "orders"),
        "kind": ("Policy or Guardrail.", "Policy"),
        "mode": ("enforce or shadow.", "enforce"),
        "outcome": ("allow, deny, redirect, none, would_deny or would_redirect.", "allow"),
        "rule": ("The rule that said so.", "readers"),
        "error": ("What went wrong in it, for the operator.", 'rule "freeze": no such key'),
    },
    "LimitLine": {
        "name": ("The document and the limit.", "orders/per-tenant"),
        "remaining": ("Requests that are left.", 2),
        "reset": ("Seconds until it is whole again.", 41.5),
        "outcome": ("ok, over, would_limit, degraded_allow or degraded_deny.", "ok"),
    },
    "RequestLine": {
        "id": ("Envoy's id of the request.", "7d8c1f2e-0b5e-4a55-9e5e-1d2c3b4a5968"),
        "method": ("The method.", "GET"),
        "host": ("The host, in lower case and without port.", "api.example.com"),
        "path": ("The canonical path, without the query.", "/v1/orders/7"),
        "query_keys": ("The names of query parameters, never their values.", ["page"]),
        "route": ("What Envoy's context_extensions call route.", "orders"),
        "headers": ("Headers the operator allows, in lower case.", {"user-agent": "curl/8.5.0"}),
        "body_sha256": ("The digest of the body, where all of it was seen.", _DIGEST),
    },
    "IdentityLine": {
        "provider": ("The provider that identified the caller; empty where none did.", "staff"),
        "subject": ("Who it is.", "alice"),
        "issuer": ("Who says so.", "https://login.example.com/"),
        "key_id": ("The key that was used.", "2026-11"),
    },
}  # fmt: skip
"""What each field says, and an example."""

CHAIN = {
    "previous": ("In a chained file: the hash of the record before.", _DIGEST),
    "hash": ("In a chained file: the hash of this record.", _DIGEST),
}
"""Fields that a sink adds."""


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a record."""
    made = msgspec.json.schema(Record)
    definitions = made["$defs"]
    for part, fields in TOLD.items():
        for name, (description, example) in fields.items():
            definitions[part]["properties"][name] |= {"description": description, "examples": [example]}
    for definition in definitions.values():
        if about := definition.get("description"):
            definition["description"] = cleandoc(about)
    definitions["Record"]["properties"] |= {
        name: {"type": "string", "description": description, "examples": [example]}
        for name, (description, example) in CHAIN.items()
    }
    return {"$schema": DIALECT, **made}
