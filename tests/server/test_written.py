"""What documents say of providers, as identity takes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from authz.identity.credentials import Place
from authz.policy import Unfit
from authz.policy.source import Source, Text
from authz.server.written import challenge_of, usable


def test_a_challenge_names_the_first_scheme() -> None:
    """Where no place has one, the provider's usual."""
    assert challenge_of([Place(cookie="s"), Place(header="a", scheme="DPoP")], "Bearer") == 'DPoP realm="api"'
    assert challenge_of([Place(header="x-api-key")], "ApiKey") == 'ApiKey realm="api"'


def test_what_can_not_be_made_is_a_fault_of_what_names_it(tmp_path: Path) -> None:
    """With the system's reason and at the key, whatever kind of file it is."""
    name = Text.at("missing.pem", Source("a.yaml", "ca: missing.pem"), 4, 15)
    assert isinstance(name, Text)
    with pytest.raises(Unfit) as unfit:
        usable(name, (tmp_path / "missing.pem").read_bytes)
    assert str(unfit.value.faults[0]).startswith('a.yaml:1:5: AZ206 "missing.pem" cannot be used: No such file')
