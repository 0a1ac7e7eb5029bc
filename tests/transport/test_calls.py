"""What only the fast transport's calls have: operations of their own. The rest: test_transports."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import pytest

from authz.transport import TransportName, calls

PATIENCE = 10.0


@pytest.fixture
def transport() -> TransportName:
    """Only this one."""
    return TransportName.FAST


def test_every_batch_has_new_operations(serve: Any, connect: Any, monkeypatch: Any) -> None:
    """An operation shared by two batches in flight is freed twice: each call makes its own five."""
    made: Counter[str] = Counter()
    names = [name for name in vars(calls) if name.endswith("Operation")]
    assert len(names) == 5
    client = connect(serve())

    def make(name: str, original: Any, *arguments: Any) -> Any:
        made[name] += 1
        return original(*arguments)

    for name in names:
        monkeypatch.setattr(calls, name, partial(make, name, getattr(calls, name)))
    futures = [client.check.future(b"x", timeout=PATIENCE) for _ in range(100)]
    assert {future.result() for future in futures} == {b"answer to x"}
    assert made == dict.fromkeys(names, 100)
