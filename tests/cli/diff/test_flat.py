"""A document as its keys and what they say."""

from authz.cli.diff.flat import flat
from authz.policy.reading import read
from tests.cli.diff.conftest import document


def test_keys_have_paths_and_lists_stay_lists() -> None:
    """Named parts by their names, maps by their keys, entries without names as they are; defaults are left out."""
    spec = """{match: [{paths: ["/a"], methods: [GET, PUT]}], mode: enforce, variables: {x: "1 + 1"},
      rules: [{name: r, allow: true, request_headers: {set: {x-a: b}}}], limits: [{name: l, rate: 2/90s}]}"""
    spec = spec.replace("2/90s", "{requests: 2, per: 90s}")
    (policy,) = read("a.yaml", document(spec).encode()).documents
    said = flat(policy.spec)  # type: ignore[attr-defined]
    assert said["match",] == ("paths: [/a], methods: [GET, PUT]",)
    assert said["variables", "x"] == "1 + 1"
    assert said["rules", "r", "allow"] == "true"
    assert said["rules", "r", "request_headers", "set", "x-a"] == "b"
    assert said["limits", "l", "rate"] == "2/90s"
    assert not any(path[0] == "mode" for path in said)


def test_values_keep_their_types() -> None:
    """1 is not true, and a text is not a number."""
    (data,) = read("a.yaml", document("{map: {a: 1, b: true, c: '1', d: null}}", kind="Data").encode()).documents
    assert flat(data.spec) == {  # type: ignore[attr-defined]
        ("map", "a"): "1", ("map", "b"): "true", ("map", "c"): "1", ("map", "d"): "null",
    }  # fmt: skip
