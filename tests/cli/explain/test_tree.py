"""An explanation as a tree for people."""

from __future__ import annotations

from authz.cli.explain.tree import pretty
from authz.model import Effect, Mode
from authz.policy.explained import (
    Explanation,
    Missing,
    Near,
    Said,
    ShownDocument,
    ShownLimit,
    ShownPart,
    ShownRule,
    ShownTerm,
    Way,
)

DECISION = {"effect": "deny", "status": 403, "reason": "no_rule", "policy": "o", "rule": None, "errors": []}
REQUEST = {"method": "GET", "host": "h\x1b[31m", "path": "/", "client": "10.0.0.1"}
IDENTITY = {"authenticated": True, "provider": "p", "subject": "s", "roles": ["a"], "groups": [], "scopes": ["b", "c"]}


def explanation() -> Explanation:
    """Return an explanation with a little of everything."""
    unsure = ShownTerm(whole=ShownPart(text="x == 1", values=(True,), operator="=="), certain=False)
    wrong = ShownTerm(whole=ShownPart(text="a.b", error="no such key", operator="."))
    rules = (
        ShownRule(
            name="r", effect=Effect.ALLOW, mode=Mode.SHADOW, said=Said.ERROR, error="no such key", condition=wrong
        ),
        ShownRule(name="u", effect=Effect.DENY, mode=Mode.ENFORCE, said=Said.UNKNOWN, when=unsure),
    )
    document = ShownDocument(
        kind="Policy", name="o", mode=Mode.ENFORCE, file="a.yaml", line=3, route="/{id}", outcome="none", rules=rules,
        providers=("p",), validations={"body": "met"}, limits=(ShownLimit(name="o/l", applies=False),),
    )  # fmt: skip
    either = Missing(text="a || b", either=((Missing(text="a"),), (Missing(text="b", found="b is 2"),)))
    return Explanation(
        decision=DECISION, request=REQUEST, identity=IDENTITY, documents=(document,),
        ways=(Way(document="o", missing=(either,)),),
        near=(Near(kind="Policy", name="n", file="b.yaml", line=1, because="its path is /x"),),
    )  # fmt: skip


def test_each_thing_has_its_line() -> None:
    """Marks for what held, failed, was an error or is not known; alternatives one below the other."""
    lines = pretty(explanation()).splitlines()
    assert "  identity  p: s; roles a; scopes b, c" in lines
    assert "  ! allow r, shadow: error: no such key" in lines
    assert "      a.b = an error (no such key)" in lines
    assert "  ? deny u: undetermined" in lines
    assert "      x == 1 = true  (parts cannot be shown: the engines differ)" in lines
    assert "  ✓ validation body: met" in lines
    assert "  · limit o/l: does not apply" in lines
    assert "  Policy n (b.yaml:1): its path is /x" in lines
    assert lines[-6:] == ["  o:", "    a || b", "      either", "        a", "      or", "        b   (b is 2)"]


def test_nothing_speaks_to_a_terminal() -> None:
    """O1: hosts, paths and values come from callers."""
    assert "\x1b" not in pretty(explanation())
