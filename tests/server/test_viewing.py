"""What the console shows of policies is joined with what they said."""

from types import SimpleNamespace
from typing import Any

from authz.model import Effect, Mode
from authz.policy.listing import Listed, ListedRule
from authz.server import viewing
from authz.telemetry import BUCKETS, Counts

COUNTS = Counts(
    checks={("allow", "allowed"): 3, ("deny", "no_rule"): 2},
    rules={
        ("orders", "readers", "allow", "enforce"): 3,
        ("orders", "", "none", "enforce"): 2,
        ("orders", "writers", "would_deny", "shadow"): 1,
        ("gone", "r", "allow", "enforce"): 9,
    },
    limits={("orders/few", "over"): 4},
    identities={},
    durations=(1,) * (len(BUCKETS) + 1),
    seconds=0.5,
)
POLICIES: Any = SimpleNamespace(
    documents=(
        Listed(
            kind="Policy", name="orders", file="a.yaml", line=3, labels={"tier": "gold"}, annotations={"owner": "shop"},
            mode=Mode.ENFORCE, rules=(ListedRule(name="readers", effect=Effect.ALLOW, mode=Mode.ENFORCE),
                                      ListedRule(name="writers", effect=Effect.DENY, mode=Mode.SHADOW)),
            limits=("few", "unused"),
        ),
    )
)  # fmt: skip


def test_documents_are_shown_with_what_they_said() -> None:
    """A document says the sum of its rules and of no rule; each rule and limit its own; what is gone is not shown."""
    (shown,) = viewing.documents(POLICIES, COUNTS)
    assert (shown["name"], shown["file"], shown["line"], shown["mode"]) == ("orders", "a.yaml", 3, "enforce")
    assert (shown["labels"], shown["annotations"]) == ({"tier": "gold"}, {"owner": "shop"})
    assert shown["said"] == {"allow": 3, "none": 2, "would_deny": 1}
    assert shown["rules"] == [
        {"name": "readers", "effect": "allow", "mode": "enforce", "said": {"allow": 3}},
        {"name": "writers", "effect": "deny", "mode": "shadow", "said": {"would_deny": 1}},
    ]
    assert shown["limits"] == [{"name": "few", "said": {"over": 4}}, {"name": "unused", "said": {}}]


def test_numbers_are_shown_by_label_and_bucket() -> None:
    """A browser can tell rates and percentiles from two readings."""
    shown: Any = viewing.numbers(COUNTS)
    assert {"decision": "deny", "reason": "no_rule", "count": 2} in shown["checks"]
    assert len(shown["durations"]["counts"]) == len(shown["durations"]["bounds"]) + 1
