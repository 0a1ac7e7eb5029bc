"""The blocks of one counter: how large, how long, in which order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from authz.limits.lease import AHEAD, LIFE, Block, Lease
from authz.limits.plan import Plan, Planner
from authz.model import Scope
from tests.limits.conftest import charge, limit


def lease(processes: int = 1, cost: int = 1) -> Lease:
    """Return a lease without blocks, of which nothing is known."""
    plan = Planner().plan([charge(limit(requests=1000, scope=Scope.LEASED), cost=cost)])
    assert isinstance(plan, Plan)
    return Lease(plan.asks[0], processes, 0.0)


def wanted(of: Lease, asked: int, seconds: float, cost: int = 1, begin: float = 0.0) -> int:
    """Ask so many times in so long a time, evenly, and return the largest block that was wanted."""
    blocks = [of.wants(cost, begin + (number + 1) * seconds / asked) for number in range(asked)]
    return max(blocks)


def test_a_lease_does_not_hold_what_a_caller_made_up() -> None:
    """R9: the components of a key are as long as callers like; a lease asks by their hash."""
    plan = Planner().plan([charge(limit(requests=1000, scope=Scope.LEASED), "k" * 8192)])
    assert isinstance(plan, Plan)
    kept = Lease(plan.asks[0], 1, 0.0).plan
    assert kept.asks[0].charge.key == ()
    assert kept.question.keys == plan.question.keys


def test_a_block_is_what_the_next_moment_wants() -> None:
    """A thousand a second for a tenth of one: a hundred; what is asked for rarely is asked for one by one."""
    hot, cold = lease(), lease()
    for each in (hot, cold):
        each.told(1_000_000, 60.0)
    assert wanted(hot, asked=20, seconds=0.02) == 1000 * AHEAD
    assert wanted(cold, asked=10, seconds=1.0) == 0


@given(remaining=st.integers(0, 2000), processes=st.integers(1, 9), asked=st.integers(20, 500))
def test_a_block_is_a_share_of_what_is_left(remaining: int, processes: int, asked: int) -> None:
    """All processes at once take at most half of it, and where that is less than two, nobody takes."""
    one = lease(processes)
    one.told(remaining, 60.0)
    block = wanted(one, asked=asked, seconds=0.05)
    assert 2 * processes * block <= remaining
    assert block != 1


def test_nothing_is_taken_before_anything_is_known() -> None:
    """The first requests of a counter are asked for one by one; they say what is left."""
    assert wanted(lease(), asked=1000, seconds=1.0) == 0


def test_a_block_holds_what_one_request_costs() -> None:
    """A block that would not hold two requests is not worth a journey."""
    dear = lease(cost=30)
    dear.told(100, 60.0)
    assert wanted(dear, asked=1000, seconds=1.0, cost=30) == 0
    dear.told(200, 60.0)
    assert wanted(dear, asked=1000, seconds=1.0, cost=30, begin=1.0) == 100


def test_one_taking_at_a_time_and_none_while_there_is_enough() -> None:
    """While a block is on its way, or half of what is wanted lies here, no other one is taken."""
    one = lease()
    one.told(10_000, 60.0)
    one.taking = True
    assert wanted(one, asked=1000, seconds=1.0) == 0
    one.taking = False
    one.blocks.append(Block(left=60, ends=9.0, stamp=1))
    one.wants(0, 1.0)
    assert wanted(one, asked=1000, seconds=1.0, begin=1.0) == 0
    one.blocks[0].left = 40
    assert 95 < wanted(one, asked=1000, seconds=1.0, begin=2.0) < 105


def test_old_blocks_are_spent_first_and_ended_ones_never() -> None:
    """First in, first out; at its end a block holds nothing any more."""
    one = lease()
    old, new = Block(left=1, ends=1.0, stamp=1), Block(left=5, ends=2.0, stamp=2)
    one.blocks += [old, new]
    assert one.holding(1, 0.5) is old
    assert one.holding(2, 0.5) is new
    assert one.holding(1, 1.0) is new
    assert one.holding(1, 2.0) is None
    assert (one.left(0.5), one.left(1.0), one.left(2.0)) == (6, 5, 0)


def test_what_is_over_is_parted_with() -> None:
    """Ended blocks come back with what they hold, spent ones go; both are closed, so nothing is put into them again."""
    one = lease()
    over, spent, good = (Block(left=left, ends=ends, stamp=0) for left, ends in ((3, 1.0), (0, 9.0), (2, 9.0)))
    one.blocks += [over, spent, good]
    assert one.close(1.0) == [over]
    assert list(one.blocks) == [good]
    assert (over.closed, spent.closed, good.closed) == (True, True, False)
    assert one.close() == [good]


def test_a_counter_nobody_asks_for_is_let_go() -> None:
    """Idle means: no block, none on its way, and nobody asked for a while."""
    one = lease()
    assert not one.idle(LIFE)
    assert one.idle(LIFE + 0.01)
    one.taking = True
    assert not one.idle(LIFE + 0.01)
