"""What a plan keeps of the answers that it gave."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from authz.policy.deciding import answers

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from authz.policy import PolicySet

POLICY = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: p}
spec:
  match: [{paths: ["/**"]}]
  rules:
"""
RULE = """    - {{name: {0}, allow: 'request.headers["x-{0}"] == "1"', response_headers: {{set: {{x-{0}: "1"}}}}}}\n"""


def test_what_combinations_of_rules_mean_is_kept_within_bounds(
    monkeypatch: pytest.MonkeyPatch, serve: Callable[..., PolicySet], make: Any
) -> None:
    """O5: n rules hold in two to the power of n ways, which callers choose; each is answered right all the same."""
    monkeypatch.setattr(answers, "REMEMBERED", 8)
    policies = serve(POLICY + "".join(map(RULE.format, "abcde")))
    for bits in product("01", repeat=5):
        said = dict(zip("abcde", bits, strict=True))
        facts = make.facts(make.request({"headers": {f"x-{name}": bit for name, bit in said.items()}}))
        selection = policies.select(facts.request)
        written = {header.name for header in selection.decide(facts).mutations.response_headers}
        assert written == {f"x-{name}" for name, bit in said.items() if bit == "1"}
        assert len(selection.plan.held) <= 8
