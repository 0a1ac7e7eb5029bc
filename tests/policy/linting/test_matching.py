"""Tests of warnings about what documents match."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.policy.routing.covering import path_covers
from authz.policy.routing.entries import Entry, Route
from authz.policy.routing.index import Index
from authz.policy.routing.routes import segments, template
from tests.policy.linting.conftest import document

TEMPLATES = st.lists(st.sampled_from(["a", "b", "*", "{x}"]), max_size=3).flatmap(
    lambda parts: st.sampled_from(["/" + "/".join(parts), "/" + "/".join([*parts, "**"])])
)
PATHS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=4).map(lambda parts: "/" + "/".join(parts))


@pytest.mark.parametrize(
    ("match", "under"),
    [
        ('[{paths: ["/v1/**", "/v1/{id}"]}]', '"/v1/{id}"'),
        ('[{paths: ["/v1/{id}", "/v1/me"]}]', '"/v1/me"'),
        ('[{methods: [GET, POST]}, {paths: ["/a"], methods: [GET]}]', '"/a"'),
        ('[{paths: ["/a"]}, {paths: ["/a"], hosts: [a.example.com]}]', '"/a"'),
    ],
)
def test_a_path_that_an_earlier_entrypath_covers(warn: Any, match: str, under: str) -> None:
    """AZ406: the first entry that fits decides what is captured; a later one that it covers never does."""
    assert [(one.code, one.under) for one in warn(document(f"match: {match}"))] == [("AZ406", under)]


@pytest.mark.parametrize(
    "match",
    [
        '[{paths: ["/v1/me", "/v1/{id}", "/v1/**"]}]',
        '[{paths: ["/a"], methods: [GET]}, {paths: ["/a"]}]',
        '[{paths: ["/a"], hosts: [a.example.com]}, {paths: ["/a"], hosts: [b.example.com]}]',
    ],
)
def test_paths_that_all_decide(warn: Any, match: str) -> None:
    """The narrower first, and what differs in host or method."""
    assert warn(document(f"match: {match}")) == []


@given(TEMPLATES, TEMPLATES, PATHS)
def test_what_is_covered_is_what_the_index_finds(one: str, other: str, path: str) -> None:
    """Where a template covers another, every path that reaches the second reaches the first."""

    def reaches(text: str) -> bool:
        entry = Entry(order=(0, ""), document=text, routes=(Route(template=template(text)),))
        index: Index[str, bool] = Index(bool).updated(bool, [], [entry])
        return index.find("", segments(path), "GET")

    if path_covers(template(one), template(other)) and reaches(other):
        assert reaches(one)


def test_a_method_that_nobody_sends(warn: Any) -> None:
    """AZ407: methods are compared letter by letter, so one that is misspelled governs nothing."""
    ((code, _, _, under, _, hint),) = warn(document('match: [{paths: ["/a"], methods: [GET, DELTE]}]'))
    assert (code, under, hint) == ("AZ407", "DELTE", 'did you mean "DELETE"?')
