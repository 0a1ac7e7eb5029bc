"""YAML that a person reads."""

import yaml

from authz.envoy.writing import COMMENTS, write


def test_comments_stand_above_what_they_are_about() -> None:
    """Indented as the field is, and the text is still what it was without them."""
    tree = {"node": {"id": "a"}, "static": {"list": [{"name": "x", "normalize_path": True}]}}
    text = write(tree, "about\n\nmore")
    assert yaml.safe_load(text) == tree
    lines = text.splitlines()
    assert lines[:3] == ["# about", "#", "# more"]
    place = next(place for place, line in enumerate(lines) if "normalize_path" in line)
    assert lines[place - 1].strip() == f"# {COMMENTS['normalize_path']}"
    assert lines[place - 1].index("#") == lines[place].index("n")


def test_what_everybody_looks_for_is_written_though_it_is_the_default() -> None:
    """`failure_mode_allow: false`, whole bodies, no panic."""
    tree = {"status_on_error": {"code": 503}, "body": {"pack_as_bytes": True}, "healthy_panic_threshold": {}}
    assert yaml.safe_load(write(tree)) == {
        "failure_mode_allow": False,
        "status_on_error": {"code": 503},
        "body": {"allow_partial_message": False, "pack_as_bytes": True},
        "healthy_panic_threshold": {"value": 0},
    }


def test_what_is_long_comes_last() -> None:
    """Filters behind the fields that fit on a line; else as Envoy's documentation has them."""
    assert list(yaml.safe_load(write({"http_filters": [], "b": 1, "grpc_service": {}, "a": 1}))) == [
        "b", "a", "http_filters", "grpc_service",
    ]  # fmt: skip
