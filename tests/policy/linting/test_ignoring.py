"""Tests of what silences warnings."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policy.linting.conftest import document

LIMIT = "limits: [{name: often, rate: 1/second}]"


@pytest.mark.parametrize("said", ["AZ405", "AZ405, AZ411", "AZ411 AZ405"])
def test_a_document_silences_what_it_means(warn: Any, said: str) -> None:
    """One code or several, for that document alone."""
    annotations = f'{{authz/ignore: "{said}", owner: me}}'
    spec = LIMIT + ("\nvariables: {a: '1'}" if "411" in said else "")
    assert warn(document(spec, annotations=annotations)) == []
    others = warn(document(spec, annotations=annotations), document(LIMIT, name="q"))
    assert [one.code for one in others] == ["AZ405"]


@pytest.mark.parametrize("said", ["AZ999", "AZ401", "often"])
def test_silence_for_nothing_is_told(warn: Any, said: str) -> None:
    """AZ416: a misspelled code silences nothing, and one that was needed once hides what comes later."""
    told = warn(document(LIMIT, annotations=f'{{authz/ignore: "{said}"}}'))
    assert [(one.code, one.under) for one in told] == [("AZ416", f'"{said}"'), ("AZ405", "often")]
    assert said in told[0].message
