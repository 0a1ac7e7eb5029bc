"""Tests of the codes of faults."""

from __future__ import annotations

import re

from authz.cel.faults import Code as CelCode
from authz.policy.codes import EXPLAINED, Code
from authz.policy.faults import Together


def test_every_code_is_explained() -> None:
    """A code without a paragraph, or a paragraph without a code, helps nobody."""
    assert EXPLAINED.keys() == {str(code) for code in (*Code, *Together, *CelCode)}


def test_codes_are_in_order_and_used_once() -> None:
    """Codes are `AZ` and three digits; none stands for two classes."""
    codes = [str(code) for code in (*Code, *Together, *CelCode)]

    assert codes == sorted(set(codes))
    assert all(re.fullmatch(r"AZ\d{3}", code) for code in codes)


def test_a_paragraph_is_a_paragraph() -> None:
    """Paragraphs are sentences, in one piece."""
    for text in EXPLAINED.values():
        assert text.endswith(".")
        assert "\n" not in text
        assert "  " not in text
