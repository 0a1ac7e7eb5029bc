"""The policies and the checks of the benchmarks are what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml
from checks import payloads

from authz._pb.envoy.service.auth.v3.external_auth_pb2 import CheckRequest
from policies import (
    PER_FILE,
    THREE_DOCUMENTS,
    ConfigMap,
    many_document_checks,
    many_documents,
    shop_checks,
    three_document_checks,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def read(texts: Iterable[str]) -> list[dict]:
    """Return the documents in these files."""
    return [document for text in texts for document in yaml.safe_load_all(text)]


def test_three_documents_have_four_rules() -> None:
    """The set is three documents and four rules, as the bound on `decision` says."""
    documents = read(THREE_DOCUMENTS.values())
    assert len(documents) == 3
    assert sum(len(document["spec"]["rules"]) for document in documents) == 4


def test_many_documents_are_spread_over_files() -> None:
    """So many documents, with names of their own, and a check that each alone governs."""
    files = many_documents(230)
    documents = read(files.values())

    assert len(files) == -(-230 // PER_FILE)
    assert len({document["metadata"]["name"] for document in documents}) == 230
    places = {(d["spec"]["match"][0]["hosts"][0], d["spec"]["match"][0]["paths"][0]) for d in documents}
    assert len(places) == 230
    asked = {(check.host, check.path.rpartition("/")[0]) for check in many_document_checks(range(230))}
    assert asked == places


def test_a_change_is_in_one_file() -> None:
    """One changed document changes the file it is in, and no other."""
    before, after = many_documents(230), many_documents(230, changed=120)
    assert [name for name in before if before[name] != after[name]] == ["team-002.yaml"]


def test_config_map_changes_by_one_rename(tmp_path: Path) -> None:
    """Staged files are unseen until the swap, and then all are seen through the same names."""
    mounted = ConfigMap(tmp_path / "policies", {"a.yaml": "1", "b.yaml": "1"})
    staged = mounted.stage({"a.yaml": "2", "b.yaml": "2"})
    seen = [(mounted.folder / name).read_text() for name in ("a.yaml", "b.yaml")]
    mounted.swap(staged)

    assert seen == ["1", "1"]
    assert [(mounted.folder / name).read_text() for name in ("a.yaml", "b.yaml")] == ["2", "2"]


def test_checks_are_of_the_size_envoy_sends() -> None:
    """A check is about 1.1 kB, is a CheckRequest, and no two are the same."""
    for checks in (three_document_checks(100), many_document_checks(range(100)), shop_checks(99)):
        messages = payloads(checks)
        assert len(set(messages)) == len(checks)
        assert all(900 < len(message) < 1300 for message in messages)
        http = CheckRequest.FromString(messages[7]).attributes.request.http
        assert (http.path, http.headers[":authority"]) == (checks[7].path, checks[7].host)


def test_checks_are_mostly_allowed() -> None:
    """Nine in ten of the checks of three documents are allowed, and the rest are not."""
    allowed = [check.allowed for check in three_document_checks(100)]
    assert allowed.count(True) == 90
