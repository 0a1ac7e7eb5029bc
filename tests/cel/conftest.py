"""Environments with a few variables of every kind, for one engine or for each."""

from __future__ import annotations

from functools import cache

import pytest

from authz.cel import (
    BYTES,
    DYN,
    INT,
    NETWORK_SET,
    SECRET,
    STRING,
    STRING_MAP,
    STRING_SET,
    TIMESTAMP,
    VARIABLES,
    CelType,
    EngineName,
    Environment,
    list_of,
    map_of,
)

EXTRA = {
    "d": DYN,
    "s": STRING,
    "i": INT,
    "b": BYTES,
    "t": TIMESTAMP,
    "l": list_of(STRING),
    "m": map_of(STRING, STRING),
    "data.networks": NETWORK_SET,
    "data.secret": SECRET,
    "data.users": STRING_SET,
    "data.plans": STRING_MAP,
}
ENGINES = (EngineName.CEL_EXPR_PYTHON, EngineName.CEL_PYTHON)


@cache
def environment_of(engine: EngineName) -> Environment:
    """Return the environment of an engine; it is immutable, so one is enough."""
    return Environment(VARIABLES, engine=engine).extended(EXTRA)


@pytest.fixture(params=ENGINES, ids=str)
def environment(request: pytest.FixtureRequest) -> Environment:
    """Return the environment of each engine in turn."""
    return environment_of(request.param)


@pytest.fixture
def first() -> Environment:
    """Return the environment of the engine that decides."""
    return environment_of(EngineName.CEL_EXPR_PYTHON)


@pytest.fixture
def second() -> Environment:
    """Return the environment of the second opinion."""
    return environment_of(EngineName.CEL_PYTHON)


@pytest.fixture
def variables() -> dict[str, CelType]:
    """Return every variable of these environments."""
    return {**VARIABLES, **EXTRA}
