"""The choice between the engines."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from authz.cel import VARIABLES, EngineName, Environment
from authz.cel.engine import load

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def without_the_first(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hide the C++ engine, as on a platform without a wheel of it."""
    monkeypatch.setitem(sys.modules, "cel_expr_python", None)
    monkeypatch.delitem(sys.modules, "authz.cel.cpp.engine", raising=False)
    yield
    sys.modules.pop("authz.cel.cpp.engine", None)


def test_the_first_engine_is_chosen_where_it_is_installed() -> None:
    """`AUTO` is the C++ engine."""
    assert load(EngineName.AUTO)[0] is EngineName.CEL_EXPR_PYTHON


@pytest.mark.usefixtures("without_the_first")
def test_the_second_takes_over_where_the_first_is_missing() -> None:
    """`AUTO` falls back, and an environment says which engine it is."""
    environment = Environment(VARIABLES)
    assert environment.engine is EngineName.CEL_PYTHON
    held = environment.compile("request.method == 'GET'").holds(environment.activation({"request.method": "GET"}))
    assert held is True


@pytest.mark.usefixtures("without_the_first")
def test_an_engine_that_was_asked_for_is_not_exchanged() -> None:
    """Who names an engine gets it or an error."""
    with pytest.raises(ImportError):
        load(EngineName.CEL_EXPR_PYTHON)
