"""The names of counters: distinct, short, and nothing of a caller's in them."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from authz.limits.keys import LONGEST, KeyMaker, limit_id
from authz.model import Algorithm, Limit, Mode, OnError
from tests.limits.conftest import limit

COMPONENTS = st.lists(st.text(max_size=20), max_size=4).map(tuple)
SHAPE = re.compile(r"authz:\{[A-Za-z0-9_-]{11}\}:[A-Za-z0-9_./-]{1,48}\.[A-Za-z0-9_-]{11}:[A-Za-z0-9_-]{22}")


@given(one=COMPONENTS, other=COMPONENTS)
def test_different_components_have_different_keys(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    """R8: keys are equal if and only if the components are, however they are cut."""
    keys = KeyMaker()
    assert (keys.key("l", one) == keys.key("l", other)) == (one == other)


def test_components_do_not_run_into_each_other() -> None:
    """R8: user `a:b` with path `c` is not user `a` with path `b:c`; nor does a length prefix help to forge one."""
    keys = KeyMaker()
    cuts = [("a:b", "c"), ("a", "b:c"), ("a:bc",), ("", "a:b", "c"), ("3:a:b1:c",), ("a:b", "c", ""), ("a1:b", "c")]
    assert len({keys.key("l", cut) for cut in cuts}) == len(cuts)


@given(name=st.text(max_size=200), components=COMPONENTS)
def test_a_key_has_one_shape_whatever_is_put_in(name: str, components: tuple[str, ...]) -> None:
    """R8: one hash tag, no byte of the caller's, at most 128 bytes, for any name and any component."""
    key = KeyMaker().key(limit_id(limit(name or "x")), components)
    assert SHAPE.fullmatch(key)
    assert len(key.encode()) <= LONGEST


def test_hostile_components_are_only_hashed() -> None:
    """R8: 64 KiB, line ends, braces and look-alikes give keys of the same shape, all different."""
    keys = KeyMaker()
    hostile = [
        "x" * 65_536,
        "x" * 65_537,
        "a\r\nDEL b",
        "{evil}",
        "p\u0430ypal",
        "paypal",
        "\x00",
        "\ud800",
        "é",
        "e\u0301",
    ]
    made = [keys.key(limit_id(limit()), (each,)) for each in hostile]
    assert len(set(made)) == len(hostile)
    assert all(SHAPE.fullmatch(key) for key in made)


@given(caller=st.text(max_size=20), rest=COMPONENTS, more=COMPONENTS)
def test_one_caller_has_one_hash_tag(caller: str, rest: tuple[str, ...], more: tuple[str, ...]) -> None:
    """All counters of a caller, the first component, lie in one slot of a cluster."""
    keys = KeyMaker(b"secret")
    one, other = keys.key("a", (caller, *rest)), keys.key("b", (caller, *more))
    assert one.split("}")[0] == other.split("}")[0]


def test_a_limits_id_is_what_it_counts_not_how_much() -> None:
    """Amount, burst, mode and `on_error` keep the id; name, algorithm and period change it."""
    base = limit("orders/each", requests=3, period=60.0)
    same = [
        limit(requests=9),
        limit(burst=4),
        limit(mode=Mode.SHADOW),
        limit(on_error=OnError.DENY),
        Limit(name="orders/each", requests=3, period=60, algorithm=Algorithm.FIXED_WINDOW),
    ]
    other = [limit("orders/eacj"), limit(period=61.0), limit(algorithm=Algorithm.TOKEN_BUCKET), limit("orders_each")]
    assert {limit_id(each) for each in same} == {limit_id(base)}
    assert len({limit_id(each) for each in (base, *other)}) == 5


def test_names_that_look_alike_when_made_plain_stay_apart() -> None:
    """A name is shown as far as it is plain; the fingerprint is of the whole."""
    names = ["orders/a b", "orders/a_b", "orders/a\tb", "o" * 60 + "1", "o" * 60 + "2"]
    assert len({limit_id(limit(name)) for name in names}) == len(names)


def test_a_secret_changes_every_hash() -> None:
    """Without the secret nobody can tell whose counter a key is."""
    plain, keyed, other = KeyMaker(), KeyMaker(b"one"), KeyMaker(b"two")
    keys = [maker.key("l", ("bob",)) for maker in (plain, keyed, other)]
    assert len({key.split("}")[0] for key in keys}) == 3
    assert len({key.rsplit(":", 1)[1] for key in keys}) == 3
