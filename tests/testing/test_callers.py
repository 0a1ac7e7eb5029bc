"""What callers of tests present, and what the providers of the policies make of it."""

from __future__ import annotations

from collections.abc import Callable

Wrong = Callable[[str], list[str]]


def test_each_kind_of_provider_finds_its_callers(wrong: Wrong) -> None:
    """Tokens, keys, certificates and what Envoy verified are presented where each provider looks."""
    assert not wrong("""
        matrix:
          - requests: [read]
            expect:
              alice: [allow]
              root: [allow]
              acme: [allow]
              olga: [allow]
              robot: [allow]
              edgar: [allow]
              nobody: [unauthenticated]
    """)


def test_claims_are_written_where_the_provider_reads_them(wrong: Wrong) -> None:
    """Roles and subject of a fixture go through the provider's own `claims` to the identity."""
    assert not wrong("""
        cases:
          - name: root
            request: read
            as: root
            expect: {rule: orders/admins, request_headers: {x-subject: root}, removed_headers: [authorization]}
          - {name: olga, request: read, as: olga, expect: {rule: orders/partners, errors: [orders/own-orders]}}
    """)


def test_bad_and_old_credentials_are_refused_as_in_service(wrong: Wrong) -> None:
    """I3: an expired token, an expired key and a forged one are 401, an issuer nobody can reach is 503."""
    assert not wrong("""
        matrix:
          - requests: [read, open]
            expect:
              late: [invalid_credentials, allow]
              old: [invalid_credentials, allow]
              mallory: [invalid_credentials, allow]
              unsure: [identity_unavailable, allow]
    """)


def test_tokens_are_renewed_while_a_test_goes_on(wrong: Wrong) -> None:
    """A sequence of a day is not about tokens that expire within an hour."""
    assert not wrong("""
        cases:
          - name: a day
            as: alice
            steps: [{request: read, expect: allow}, {request: read, after: 1d, expect: allow}]
    """)
