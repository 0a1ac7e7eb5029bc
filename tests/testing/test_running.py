"""Tests of policies, run: clocks, sequences and outages, on the service's own engine."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from authz.errors import PolicyFaults
from authz.model import Outcome
from authz.policy import PolicySet
from authz.testing import Result, Surroundings, Verdict, read_suites, run
from authz.testing.running import titles
from tests.testing.conftest import HEAD

Wrong = Callable[[str], list[str]]


def test_a_case_that_is_as_expected_passes(tried: Callable[[str], tuple[Result, ...]]) -> None:
    """A result says where the case is written, and what was asked and answered."""
    (result,) = tried("cases: [{name: reads, request: read, as: alice, expect: allow}]")
    assert (result.verdict, result.title) == (Verdict.PASSED, "t / reads")
    assert (result.file, result.line, result.column) == ("t_test.yaml", 23, 18)
    assert result.findings[0].asked == "alice: GET https://shop.example.com/orders/7?debug=1"
    assert result.findings[0].answer.rules == ("orders/own-orders",)


def test_repeats_move_the_clock_and_the_last_answer_counts(wrong: Wrong) -> None:
    """The third order in a minute waits for the rest of the window that began with the minute."""
    assert not wrong("""
        cases:
          - name: waits
            request: place
            as: alice
            repeat: 3
            every: 5s
            expect: {status: 429, limit: orders/per-subject, retry_after: 50s}
    """)


def test_cases_share_no_counts_and_steps_do(wrong: Wrong) -> None:
    """Every case begins with nothing counted at the document's time; in a sequence counts and time go on."""
    assert not wrong("""
        cases:
          - {name: first, request: place, as: alice, repeat: 2, expect: allow}
          - {name: again, request: place, as: alice, repeat: 2, expect: allow}
          - name: sequence
            as: alice
            steps:
              - {request: place, repeat: 2, expect: allow}
              - {request: place, as: root, expect: allow}
              - {request: place, expect: rate_limited}
              - {request: place, after: 1m, expect: allow}
    """)


def test_a_table_is_a_case_per_cell(tried: Callable[[str], tuple[Result, ...]]) -> None:
    """Each cell has a name, a place of its own, and nothing counted."""
    results = tried("""
        matrix:
          - name: who
            requests: [read, drop, open]
            expect:
              alice:  [allow, deny_rule, allow]
              nobody: [401, 401, allow]
              mallory: [invalid_credentials, 401, allow]
    """)
    assert [result.verdict for result in results] == ["passed"] * 9
    assert results[3].title == "t / who / nobody: read"
    assert (results[3].line, results[3].column) == (29, 18)


def test_an_outage_of_redis_is_what_each_limit_says(wrong: Wrong) -> None:
    """R2: `on_error: deny` refuses, beginning with the step in which Redis goes away."""
    assert not wrong("""
        cases:
          - name: outage
            as: alice
            steps:
              - {request: place, expect: allow}
              - {request: place, faults: {redis: down}, expect: {reason: limiter_degraded, limit: orders/per-subject}}
              - {request: read, faults: {redis: down}, expect: allow}
              - {request: place, expect: allow}
    """)


def test_an_outage_of_an_issuer_ends_when_its_keys_are_too_old(wrong: Wrong) -> None:
    """Keys that were fetched are good for `max_stale`, those that never were for nobody; others are not concerned."""
    assert not wrong("""
        cases:
          - name: stale
            as: alice
            faults: {jwks: stale}
            steps:
              - {request: read, expect: allow}
              - {request: read, after: 1h, expect: allow}
              - {request: read, after: 2h, expect: {status: 503, reason: identity_unavailable}}
          - {name: down, request: read, as: alice, faults: {jwks: down}, expect: identity_unavailable}
          - {name: keys, request: read, as: acme, faults: {jwks: down}, expect: allow}
          - {name: open, request: open, faults: {jwks: down}, expect: allow}
    """)


def test_a_body_that_is_cut_off_is_no_body(wrong: Wrong) -> None:
    """B5: what is not whole is refused where it is validated, and ignored where nobody reads it."""
    assert not wrong("""
        cases:
          - {name: cut, request: place, as: alice, faults: {body: truncated}, expect: {status: 400, rule: orders/body}}
          - {name: none, request: read, as: alice, faults: {body: truncated}, expect: allow}
    """)


def test_only_what_matches_runs(policies: PolicySet) -> None:
    """A pattern is looked for in titles, whatever the case; observers are told of every outcome."""
    text = HEAD + "  cases: [{name: One, request: open, expect: allow}, {name: Two, request: open, expect: deny}]\n"
    suites = read_suites({"t_test.yaml": text.encode()})
    seen: list[Outcome] = []
    (result,) = run(suites, policies, only="ONE", around=Surroundings(observers=(seen.append,)))
    assert (result.name, len(seen)) == ("One", 1)
    assert list(titles(suites)) == ["t / One", "t / Two"]


def test_names_that_the_policies_do_not_have_are_faults(policies: PolicySet) -> None:
    """A misspelled rule is no failure but a fault, with a caret and the rule that was meant."""
    text = HEAD + "  cases: [{name: one, request: open, expect: {rule: open/al}}]\n"
    with pytest.raises(PolicyFaults) as found:
        run(read_suites({"t_test.yaml": text.encode()}), policies)
    (fault,) = found.value.faults
    assert str(fault).startswith('t_test.yaml:23:53: AZ130 no rule is called "open/al" (did you mean "open/all"?)\n')


def test_a_failure_points_at_what_was_expected(tried: Callable[[str], tuple[Result, ...]]) -> None:
    """The key that is not met, or the word; in the file that holds the test."""
    results = tried("""
        cases:
          - name: a mapping
            request: open
            expect:
              decision: allow
              policy: orders
          - {name: a word, request: open, expect: deny}
    """)
    places = [(finding.line, finding.column) for result in results for finding in result.failures]
    assert places == [(29, 9), (30, 45)]
