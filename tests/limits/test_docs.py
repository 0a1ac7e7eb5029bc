"""The page about limits: its example is a policy, every key of a limit is in it, and its figures are the code's."""

from __future__ import annotations

import re
from pathlib import Path

from authz.limits.lease import AHEAD, LIFE
from authz.model import Align, Limit, Scope
from authz.policy.schema import schema
from authz.server.deciding import compiler

PAGE = (Path(__file__).parents[2] / "authz/limits/docs/limits.md").read_text()
(EXAMPLE,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_is_a_policy() -> None:
    """It compiles, and its limits are what the page says of them."""
    limits = {limit.name: limit for limit in compiler("auto").compile({"p.yaml": EXAMPLE.encode()}).limits}
    assert set(limits) == {"orders/per-tenant", "orders/bursts", "orders/quota", "orders/everybody"}
    quota: Limit = limits["orders/quota"]
    assert (quota.align, quota.time_zone) == (Align.MONTH, "Europe/Berlin")
    assert limits["orders/everybody"].scope is Scope.LEASED


def test_every_key_of_a_limit_is_on_the_page() -> None:
    """An author finds each of them in the example or in the text."""
    for key in schema()["$defs"]["Limit"]["properties"]:
        assert re.search(rf"\b{key}\b", PAGE), key


def test_the_times_of_leases_are_the_codes() -> None:
    """Half a second of life, a tenth of a second ahead."""
    assert (LIFE, AHEAD) == (0.5, 0.1)
