"""What differs between what is expected and what is so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Wrong = Callable[[str], list[str]]


@pytest.mark.parametrize(
    ("caller", "request_", "expect", "told"),
    [
        ("root", "read", "{decision: deny}", "decision: deny != allow"),
        ("root", "read", "{status: 403}", "status: 403 != 200"),
        ("root", "read", "{reason: no_rule}", "reason: no_rule != allowed"),
        ("root", "read", "{policy: open}", "policy: open != orders"),
        ("root", "read", "{rule: orders/partners}", "rule: orders/partners != orders/admins"),
        ("root", "read", "{limit: orders/per-subject}", "limit: orders/per-subject != nothing"),
        ("root", "read", "{retry_after: 5s}", "retry_after: 5s != nothing"),
        ("root", "drop", "{message: Gone.}", "message: Gone. != Orders are cancelled."),
        ("root", "read", "{location: /login}", "location: /login != nothing"),
        ("root", "read", "{body: x}", 'body: x != ""'),
        ("root", "drop", "{json: {title: No, status: 403}}", "json.title: No != Forbidden"),
        ("root", "read", "{request_headers: {x-subject: [a, b]}}", "request_headers.x-subject: a, b != root"),
        ("root", "read", "{request_headers: {x-subject: []}}", "request_headers.x-subject: nothing != root"),
        ("root", "read", "{removed_headers: [cookie]}", "removed_headers: cookie != authorization"),
        ("root", "read", "{removed_headers: []}", "removed_headers: nothing != authorization"),
        (
            "root",
            "read",
            "{response_headers: {cache-control: public}}",
            "response_headers.cache-control: public != private",
        ),
        ("root", "read", "{query: {by: alice}}", "query.by: alice != root"),
        ("root", "read", "{removed_query: [trace]}", "removed_query: trace != debug"),
        ("root", "read", "{metadata: {tenant: globex}}", "metadata.tenant: globex != acme"),
        ("root", "drop", '{json: {status: "403"}}', 'json.status: "403" != 403'),
        ("root", "read", "{would_deny: [orders/next]}", "would_deny: orders/next != nothing"),
        ("root", "read", "{would_limit: [orders/per-subject]}", "would_limit: orders/per-subject != nothing"),
        ("robot", "read", "{errors: []}", "errors: nothing != orders/own-orders"),
    ],
)
def test_every_key_of_an_expectation_is_compared(
    wrong: Wrong, caller: str, request_: str, expect: str, told: str
) -> None:
    """What is said and not so is told with its key, what was expected and what is."""
    assert wrong(f"cases: [{{name: one, request: {request_}, as: {caller}, expect: {expect}}}]") == [told]


def test_what_is_so_is_not_told(wrong: Wrong) -> None:
    """Every key can also be met."""
    assert not wrong("""
        cases:
          - name: allow
            request: {like: read, method: PUT}
            as: root
            expect:
              decision: allow
              status: 200
              reason: allowed
              policy: orders
              rule: orders/admins
              request_headers: {x-subject: root, x-other: []}
              removed_headers: [authorization]
              response_headers: {cache-control: private}
              query: {by: root}
              removed_query: [debug]
              metadata: {tenant: acme}
              would_deny: [orders, orders/next]
              would_limit: []
              errors: []
          - name: deny
            request: drop
            as: root
            expect: {message: Orders are cancelled., json: {status: 403, reason: deny_rule}}
    """)
