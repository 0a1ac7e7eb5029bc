"""Tests of the way from a path to an operation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.content.openapi.operations import segments
from authz.content.openapi.routing import Routes, Segment, Taken, TemplateError


def routes(*templates: str) -> Routes[str]:
    """Return routes that lead to the templates themselves."""
    found: Routes[str] = Routes()
    for template in templates:
        found.add(segments(template), template)
    return found


@pytest.mark.parametrize(
    ("path", "template", "params"),
    [
        ("/", "/", {}),
        ("/pets", "/pets", {}),
        ("/pets/7", "/pets/{id}", {"id": "7"}),
        ("/pets/mine", "/pets/mine", {}),
        ("/pets/7.json", "/pets/{id}.json", {"id": "7"}),
        ("/pets/.json", "/pets/{id}", {"id": ".json"}),
        ("/pets/v1:7.json", "/pets/v1:{id}.json", {"id": "7"}),
        ("/pets/mine/toys", "/pets/{id}/toys", {"id": "mine"}),
        ("/pets/a/b/c", None, {}),
        ("/Pets", None, {}),
    ],
)
def test_what_is_written_out_goes_before_a_parameter(path: str, template: str | None, params: dict[str, str]) -> None:
    """The nearest template is found, and where its way ends the next one is; case counts."""
    known = routes("/", "/pets", "/pets/{id}", "/pets/mine", "/pets/{id}.json", "/pets/v1:{id}.json", "/pets/{id}/toys")
    found = known.find([part for part in path.split("/") if part])

    assert found == (None if template is None else (template, params))


@pytest.mark.parametrize("template", ["a", "/a//b", "/a?b", "/a#b", "/{a}{b}", "/{a}-{b}", "/{a", "/a}", "/{}", "/a;b"])
def test_a_template_that_reads_two_ways_is_refused(template: str) -> None:
    """Two parameters in a segment have no border; what no canonical path holds leads nowhere."""
    with pytest.raises(TemplateError):
        segments(template)


def test_templates_that_differ_in_names_only_are_one() -> None:
    """OpenAPI calls them identical and invalid: which one is meant cannot be told."""
    known = routes("/pets/{id}")
    with pytest.raises(Taken):
        known.add(segments("/pets/{name}"), "other")


@given(st.lists(st.text(alphabet="ab.", min_size=1), max_size=5))
def test_every_path_ends_in_an_answer(path: list[str]) -> None:
    """A path finds a template whose segments all fit, or nothing."""
    known = routes("/a", "/{x}", "/{x}/b", "/a/{y}", "/a.{z}/b")
    found = known.find(path)

    if found is not None:
        template = segments(found[0])
        assert len(template) == len(path)
        assert all(
            one.takes(part) is not None if one.name else one.before == part
            for one, part in zip(template, path, strict=True)
        )


def test_a_parameter_is_never_empty() -> None:
    """A segment that is only what stands around the parameter does not fit."""
    assert Segment("a{x}b").takes("ab") is None
    assert Segment("a{x}a").takes("a") is None
