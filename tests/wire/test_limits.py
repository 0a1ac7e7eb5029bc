"""What callers and access logs are told about limits."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st

from authz import wire
from authz._pb.envoy.config.core.v3.base_pb2 import HeaderValueOption
from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckResponse
from authz.model import (
    ANONYMOUS,
    STATUS,
    UNLIMITED,
    Algorithm,
    Align,
    Charge,
    Decision,
    Effect,
    HeaderMutation,
    Limit,
    LimitOutcome,
    LimitUsage,
    Mode,
    Mutations,
    Outcome,
    Reason,
    Usage,
)
from authz.policy.documents.rules import OURS
from authz.wire import LimitHeaders, limits
from authz.wire.limits import MAX_WAIT, headers, names

BOTH = (LimitHeaders.DRAFT_11, LimitHeaders.LEGACY)
ALLOW = Decision(effect=Effect.ALLOW, reason=Reason.ALLOWED, status=200, policy="orders", rule="readers")
_OF_LIMITS = ("requests", "period", "algorithm", "burst", "mode", "align")
OVER = Decision(effect=Effect.DENY, reason=Reason.RATE_LIMITED, status=STATUS[Reason.RATE_LIMITED])


def usage(name: str = "orders/each", outcome: LimitOutcome = LimitOutcome.OK, **given_: Any) -> LimitUsage:
    """Return what a limit of 3 a minute answered."""
    limit = {key: given_.pop(key) for key in _OF_LIMITS if key in given_}
    defaults: dict[str, Any] = {"name": name, "requests": 3, "period": 60.0}
    charge = Charge(limit=Limit(**defaults | limit), key=("k",), cost=given_.pop("cost", 1))
    answered: dict[str, Any] = {"charge": charge, "outcome": outcome, "remaining": 2, "reset": 31.5}
    return LimitUsage(**answered | given_)


def shown(usages: list[LimitUsage], reason: Reason = Reason.ALLOWED, styles: Any = BOTH) -> dict[str, str]:
    """Return the fields of an answer."""
    return {header.name: header.value for header in headers(usages, reason, styles)}


def written(decision: Decision, usages: tuple[LimitUsage, ...], styles: Any = BOTH) -> CheckResponse:
    """Return a whole answer, parsed."""
    outcome = Outcome(
        id="0" * 32,
        decision=decision,
        request=None,
        identity=ANONYMOUS,
        usage=Usage(admitted=decision is ALLOW, limits=usages),
        generation=1,
        policy_digest="",
    )
    return CheckResponse.FromString(wire.write(outcome, styles))


def test_an_allow_tells_of_the_limit_it_meets_first() -> None:
    """Of several limits the one with the fewest requests of this cost left is shown, in both ways."""
    usages = [usage("o/day", remaining=900), usage("o/heavy", remaining=9, cost=9), usage("o/each", remaining=2)]
    assert shown(usages) == {
        "ratelimit-policy": '"o/heavy";q=3;w=60',
        "ratelimit": '"o/heavy";r=9;t=32',
        "x-ratelimit-limit": "3",
        "x-ratelimit-remaining": "9",
        "x-ratelimit-reset": "32",
    }


def test_of_limits_that_are_as_near_the_slower_one_is_told() -> None:
    """With as many requests left, what is whole again later is met first by whoever goes on."""
    for usages in (
        [usage("o/a", reset=5.0), usage("o/b", reset=50.0)],
        [usage("o/b", reset=50.0), usage("o/a", reset=5.0)],
    ):
        assert shown(usages)["ratelimit"] == '"o/b";r=2;t=50'


def test_a_limit_is_not_told_in_the_words_of_one_that_is_gone() -> None:
    """Its texts are kept by where it lies in memory, and another limit may have lain there before (a reload)."""
    before, now = usage("o/before").charge.limit, usage("o/now")
    limits._texts[id(now.charge.limit)] = limits._texts_of(before)
    assert shown([now])["ratelimit-policy"] == '"o/now";q=3;w=60'


def test_a_429_tells_of_every_limit_that_is_over_and_no_other() -> None:
    """Both fields list what failed, in one order; the legacy triple is that of the longest wait."""
    usages = [
        usage("o/a", LimitOutcome.OVER, remaining=0, retry_after=4.2),
        usage("o/room"),
        usage("o/b", LimitOutcome.OVER, remaining=1, retry_after=20.0, requests=5, period=3600.0),
    ]
    assert shown(usages, Reason.RATE_LIMITED) == {
        "ratelimit-policy": '"o/a";q=3;w=60, "o/b";q=5;w=3600',
        "ratelimit": '"o/a";r=0;t=5, "o/b";r=1;t=20',
        "x-ratelimit-limit": "5",
        "x-ratelimit-remaining": "1",
        "x-ratelimit-reset": "20",
    }


@pytest.mark.parametrize(
    "hidden",
    [
        usage(outcome=LimitOutcome.WOULD_LIMIT, mode=Mode.SHADOW),
        usage(mode=Mode.SHADOW),
        usage(outcome=LimitOutcome.DEGRADED_ALLOW, remaining=0),
        usage(outcome=LimitOutcome.DEGRADED_DENY, remaining=0),
    ],
)
def test_what_is_in_shadow_or_was_not_counted_is_shown_to_no_caller(hidden: LimitUsage) -> None:
    """A shadow limit would tell of a rule that is not in force, a degraded one has no numbers."""
    assert shown([hidden]) == {}
    assert shown([hidden], Reason.RATE_LIMITED) == {}
    assert shown([hidden, usage("o/other")])["ratelimit"].startswith('"o/other"')


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason not in {Reason.ALLOWED, Reason.RATE_LIMITED}])
def test_other_denials_tell_nothing(reason: Reason) -> None:
    """A denial for another reason is silent about what it was charged."""
    assert shown([usage(), usage(outcome=LimitOutcome.OVER)], reason) == {}


def test_a_bucket_tells_its_burst_and_a_short_period_no_window() -> None:
    """`w` knows whole seconds only; a burst travels as a parameter of our own."""
    bucket = usage(algorithm=Algorithm.TOKEN_BUCKET, burst=20, period=0.5)
    assert shown([bucket])["ratelimit-policy"] == '"orders/each";q=3;authz-burst=20'


def test_a_limit_that_never_fits_has_no_effective_window() -> None:
    """No time brings back what can't be held."""
    assert shown([usage(outcome=LimitOutcome.OVER, remaining=0)], Reason.RATE_LIMITED)["ratelimit"].endswith(";r=0")


def test_nothing_is_told_where_nobody_asked_or_nothing_was_charged() -> None:
    """Without styles, or without limits, an answer is what it was."""
    assert shown([usage()], styles=()) == {}
    assert shown([]) == {}
    assert wire.write(_outcome(), BOTH) == wire.write(_outcome())


def _outcome() -> Outcome:
    return Outcome(
        id="a", decision=ALLOW, request=None, identity=ANONYMOUS, usage=UNLIMITED, generation=1, policy_digest=""
    )


@pytest.mark.parametrize("own", [(), (HeaderMutation(name="cache-control", value="private"),)])
def test_an_allow_carries_the_fields_beside_its_own(own: tuple[HeaderMutation, ...]) -> None:
    """The draft's fields are added to the upstream's, the rule's headers stay, and the answer is still an allow."""
    decision = ALLOW if not own else Decision(**{**_fields(ALLOW), "mutations": Mutations(response_headers=own)})
    response = written(decision, (usage(),), (LimitHeaders.DRAFT_11,))
    assert response.status.code == 0
    assert response.WhichOneof("http_response") == "ok_response"
    options = response.ok_response.response_headers_to_add
    assert [option.header.key for option in options] == [*(one.name for one in own), "ratelimit-policy", "ratelimit"]
    assert options[-1].append_action == HeaderValueOption.APPEND_IF_EXISTS_OR_ADD


def _fields(decision: Decision) -> dict[str, Any]:
    return {name: getattr(decision, name) for name in decision.__struct_fields__}


def test_a_denial_carries_the_fields() -> None:
    """The client of a 429 gets them beside Retry-After, which is never earlier than the effective window ends."""
    over = usage(outcome=LimitOutcome.OVER, remaining=0, retry_after=4.2)
    sent = {option.header.key: option.header.value for option in written(OVER, (over,)).denied_response.headers}
    assert sent["ratelimit"] == '"orders/each";r=0;t=5'
    assert sent["retry-after"] == sent["x-ratelimit-reset"] == "5"


@pytest.mark.parametrize(
    ("usages", "named"),
    [
        ((usage(),), {"limit": "orders/each", "limit_outcome": "ok"}),
        (
            (usage("o/s", LimitOutcome.WOULD_LIMIT), usage("o/a", LimitOutcome.OVER, retry_after=1.0), usage("o/b")),
            {"limit": "o/a", "limit_outcome": "over", "would_limit": ["o/s"]},
        ),
        (
            (usage("o/a"), usage("o/b", LimitOutcome.DEGRADED_ALLOW)),
            {"limit": "o/b", "limit_outcome": "degraded_allow"},
        ),
        ((usage("o/s", LimitOutcome.WOULD_LIMIT),), {"would_limit": ["o/s"]}),
        (
            (usage("o/s", mode=Mode.SHADOW, remaining=0), usage("o/a", remaining=1)),
            {"limit": "o/a", "limit_outcome": "ok"},
        ),
    ],
)
def test_the_metadata_names_the_limit_that_matters(usages: tuple[LimitUsage, ...], named: dict[str, Any]) -> None:
    """Envoy's access log can name the limit, its outcome, and which limits in shadow would have limited."""
    for decision in (ALLOW, OVER):
        metadata = MessageToDict(written(decision, usages).dynamic_metadata)
        assert {key: metadata[key] for key in metadata if "limit" in key} == named
        assert metadata.keys() <= OURS  # which no rule can write


def test_a_usage_without_limits_is_named_nothing() -> None:
    """Nothing charged, nothing said."""
    assert not any(names(()))


TIMES = st.one_of(st.none(), st.floats(allow_nan=True), st.floats(0, 1e6))
USAGES = st.builds(
    usage,
    name=st.text(st.sampled_from('a/"\\é\n~ '), min_size=1, max_size=20),
    outcome=st.sampled_from([LimitOutcome.OK, LimitOutcome.OVER]),
    requests=st.integers(0, 2**70),
    period=st.floats(0.001, 1e9),
    remaining=st.integers(-(2**70), 2**70),
    reset=st.floats(allow_nan=True),
    retry_after=TIMES,
    algorithm=st.sampled_from(Algorithm),
    burst=st.one_of(st.none(), st.integers(1, 2**60)),
)


@given(usages=st.lists(USAGES, min_size=1, max_size=4), reason=st.sampled_from([Reason.ALLOWED, Reason.RATE_LIMITED]))
def test_the_fields_are_structured_fields(usages: list[LimitUsage], reason: Reason) -> None:
    """Whatever a limit is called and says, both fields parse as RFC 9651 has it, with what the draft requires."""
    told = shown(usages, reason, (LimitHeaders.DRAFT_11,))
    if not told:
        return
    policies, states = parsed(told["ratelimit-policy"]), parsed(told["ratelimit"])
    assert [name for name, _ in policies] == [name for name, _ in states]
    for _, parameters in policies:
        assert 0 <= parameters["q"] < 10**15
        assert parameters.get("w", 1) >= 1
    for _, parameters in states:
        assert 0 <= parameters["r"] < 10**15
        assert 0 <= parameters.get("t", 0) <= MAX_WAIT


STRING = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
PARAMETER = re.compile(r";([a-z*][a-z0-9_.*-]*)=(-?[0-9]{1,15})(?![0-9.])")


def parsed(field: str) -> list[tuple[str, dict[str, int]]]:
    """Parse a List of Strings with Integer parameters as RFC 9651, section 4.2.1 does; anything else fails."""
    items = []
    while True:
        name = STRING.match(field)
        assert name, field
        field, parameters = field[name.end() :], {}
        while parameter := PARAMETER.match(field):
            parameters[parameter[1]] = int(parameter[2])
            field = field[parameter.end() :]
        items.append((re.sub(r"\\(.)", r"\1", name[1]), parameters))
        if not field:
            return items
        assert field.startswith(", "), field
        field = field[2:]


def test_times_that_are_none_are_no_times() -> None:
    """Not a number, infinity and the past all give seconds that a client can read."""
    for wait, told in ((math.nan, 0), (math.inf, MAX_WAIT), (-1.0, 0), (0.2, 1)):
        over = usage(outcome=LimitOutcome.OVER, retry_after=wait)
        assert parsed(shown([over], Reason.RATE_LIMITED)["ratelimit"])[0][1]["t"] == told


def test_a_piece_of_the_calendar_has_its_own_length() -> None:
    """A day of 25 hours is told as such, and a month has no length to tell."""
    day = usage(period=86_400.0, align=Align.DAY, reset=90_000.0)
    month = usage(period=2_678_400.0, align=Align.MONTH, reset=2_682_000.0)
    assert shown([day])["ratelimit"] == '"orders/each";r=2;t=90000'
    assert shown([day])["ratelimit-policy"] == '"orders/each";q=3;w=86400'
    assert shown([month])["ratelimit-policy"] == '"orders/each";q=3'
    assert shown([month])["ratelimit"] == '"orders/each";r=2;t=2682000'


def test_the_effective_window_is_one_period_at_most() -> None:
    """A sliding window is whole only after two periods, but gives way all along."""
    assert shown([usage(reset=90.0)])["ratelimit"] == '"orders/each";r=2;t=60'
