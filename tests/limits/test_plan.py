"""What is asked of a store, what is settled without one, and how its numbers are read."""

from __future__ import annotations

from msgspec.structs import replace

from authz.limits.asks import PER_ASK, Answer
from authz.limits.plan import Plan, Planner, conclude
from authz.model import Algorithm, LimitOutcome, Mode, Usage
from tests.limits.conftest import charge, limit

OK, OVER, WOULD = LimitOutcome.OK, LimitOutcome.OVER, LimitOutcome.WOULD_LIMIT


def planned(*charges: object) -> Plan:
    """Plan charges that need a store."""
    plan = Planner().plan(charges)  # type: ignore[arg-type]
    assert isinstance(plan, Plan)
    return plan


def test_a_limit_is_worked_out_once() -> None:
    """Two charges of one `Limit` object share its meter; an equal limit of another generation has its own."""
    each = limit()
    planner = Planner()
    one, two, other = (planner.plan([charge(of)]) for of in (each, each, limit()))
    assert isinstance(one, Plan)
    assert isinstance(two, Plan)
    assert isinstance(other, Plan)
    assert one.asks[0].meter is two.asks[0].meter
    assert one.asks[0].meter is not other.asks[0].meter
    assert one.asks[0].key == other.asks[0].key


def test_a_guardrails_limit_is_not_that_of_a_policy_of_its_name() -> None:
    """Names are unique per kind: a team that takes the platform's names for its own limit does not lift the other."""
    platform, team = limit(requests=1), limit(requests=1000)
    plan = planned(charge(replace(platform, guardrail=True)), charge(team))
    assert [(ask.charge.limit.requests, ask.charge.cost) for ask in plan.asks] == [(1, 1), (1000, 1)]
    assert len({ask.key for ask in plan.asks}) == 2


def test_the_ranks_of_a_merged_answer_read_as_one_after_the_other() -> None:
    """Three of five admitted at cost 2 with 1 left: 5, 3, 1 remain for them, 1 and a time for the others."""
    plan = planned(charge(limit(requests=7), cost=2))
    answer = Answer(admitted=3, numbers=[3, 1, 60_000_000, 45_500_000])
    said = [conclude(plan, answer, rank).limits[0] for rank in range(5)]
    assert [each.outcome for each in said] == [OK, OK, OK, OVER, OVER]
    assert [each.remaining for each in said] == [5, 3, 1, 1, 1]
    assert [each.retry_after for each in said] == [None, None, None, 45.5, 45.5]


def test_only_the_limit_that_is_used_up_is_over() -> None:
    """The limit that still had room says so, also to those refused for the other one."""
    plan = planned(charge(limit("a/wide")), charge(limit("a/narrow")))
    usage = conclude(plan, Answer(admitted=1, numbers=[5, 4, 1, 0, 1, 0, 1, 9_000_000]), 1)
    assert [each.outcome for each in usage.limits] == [OK, OVER]
    assert not usage.admitted


def test_a_shadow_limit_would_limit_by_rank() -> None:
    """The shadow limit had room for one: the first is fine, the second would have been limited, both pass."""
    plan = planned(charge(limit("a/shadow", mode=Mode.SHADOW)), charge(limit("a/each")))
    answer = Answer(admitted=2, numbers=[1, 0, 1, 9, 5, 3, 1, 0])
    said = [conclude(plan, answer, rank) for rank in range(2)]
    assert [usage.limits[0].outcome for usage in said] == [OK, WOULD]
    assert all(usage.admitted for usage in said)
    assert said[1].limits[0].retry_after is None


def test_there_are_four_numbers_for_each_ask() -> None:
    """The script and its reader agree on the reply's width."""
    assert PER_ASK == 4


def test_what_is_settled_keeps_its_place() -> None:
    """A free charge between two asked ones is answered between them."""
    plan = planned(charge(limit("a/1")), charge(limit("a/2"), cost=0), charge(limit("a/3")))
    usage = conclude(plan, Answer(admitted=1, numbers=[3, 2, 1, 0, 3, 1, 1, 0]))
    assert [(each.charge.limit.name, each.remaining) for each in usage.limits] == [("a/1", 2), ("a/2", 3), ("a/3", 1)]


def test_a_bucket_without_capacity_never_admits() -> None:
    """A burst of 0 leaves nothing to take, whatever the rate."""
    usage = Planner().plan([charge(limit(algorithm=Algorithm.TOKEN_BUCKET, burst=0))])
    assert isinstance(usage, Usage)
    assert not usage.admitted


def test_a_plan_is_kept_and_found_by_its_charges() -> None:
    """The same limits, keys and costs are one plan; another cost, key, order or `Limit` object is another."""
    planner, each, other = Planner(), limit(), limit("a/other")
    kept = planner.plan([charge(each), charge(other)])
    assert planner.plan([charge(each), charge(other)]) is kept
    for charges in ([charge(other), charge(each)], [charge(each, cost=2), charge(other)], [charge(each, "eve"),
                    charge(other)], [charge(each)], [charge(limit()), charge(other)]):  # fmt: skip
        planned = planner.plan(charges)
        assert isinstance(planned, Plan)
        assert [(ask.charge.limit, ask.charge.key, ask.charge.cost) for ask in planned.asks] == [
            (one.limit, one.key, one.cost) for one in charges
        ]


def test_plans_that_are_kept_are_bounded() -> None:
    """R9: neither many callers nor callers with long names fill the memory."""
    planner, each = Planner(), limit()
    for number in range(9000):
        planner.plan([charge(each, str(number))])
    assert len(planner._plans) <= 8192
    before = len(planner._plans)
    planner.plan([charge(each, "x" * 257)])
    assert len(planner._plans) == before


def test_what_is_known_of_limits_is_bounded() -> None:
    """Reload after reload does not fill the memory."""
    planner = Planner()
    limits = [limit(f"a/{number}") for number in range(70_000)]
    for each in limits:
        planner.plan([charge(each)])
    assert len(planner._known) <= 65_536
