"""The two states that are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authz.cli.diff.sources import folder, revision, side
from authz.errors import PolicyFaults, Unavailable
from tests.cli.committing import git

if TYPE_CHECKING:
    from pathlib import Path


def test_a_revision_is_read_from_git_and_the_folder_stays_as_it_is(repository: Path) -> None:
    """What the folder holds now has no say; faults would show the revision and the path."""
    (repository / "orders.yaml").write_text("nonsense")
    found = revision("HEAD", [repository])
    assert [one.file for one in found.policies.written] == [f"HEAD:{repository}/orders.yaml"]
    assert [suite.name for suite in found.suites] == ["orders"]
    assert (repository / "orders.yaml").read_text() == "nonsense"


def test_what_a_repository_says_of_archives_hides_nothing(repository: Path) -> None:
    """`export-ignore` leaves files out of an archive, and not out of what is compared."""
    (repository / ".gitattributes").write_text("orders.yaml export-ignore\n")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "Hide")
    assert len(revision("HEAD", [repository]).policies.written) == 1


def test_links_are_refused(repository: Path) -> None:
    """Where a link leads is in no commit."""
    (repository / "more.yaml").symlink_to("/etc/passwd")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "Link")
    with pytest.raises(Unavailable, match=r"more\.yaml is a link"):
        revision("HEAD", [repository])


@pytest.mark.parametrize("name", ["nope", "--upload-pack=x"])
def test_what_is_no_revision_is_refused(repository: Path, name: str) -> None:
    """Nothing is taken for an option of Git."""
    with pytest.raises(Unavailable, match="revision"):
        side(name, [repository])


def test_a_revision_without_policies_is_no_empty_state(repository: Path) -> None:
    """Everything would look new."""
    other = repository / "other"
    other.mkdir()
    with pytest.raises(Unavailable, match="HEAD has no policies in"):
        revision("HEAD", [other])
    with pytest.raises(
        Unavailable, match=r"there is no folder .*none to look for .* in: where are the policies\? --policies"
    ):
        revision("HEAD", [repository / "none"])


def test_a_folder_is_read_as_the_service_reads_it(policies: Path, broken: str) -> None:
    """Files beside documents are told by their place below the folder; faults are told as ever."""
    (policies / "schema.json").write_text("{}")
    assert set(folder(policies).files) == {"schema.json"}
    with pytest.raises(PolicyFaults):
        side(broken, [])
