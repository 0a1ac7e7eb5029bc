"""Who changed a document last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.cli.routes.history import Change, history
from authz.server.deciding import policies_in
from tests.cli.committing import git

if TYPE_CHECKING:
    from pathlib import Path

TWO = """\
apiVersion: authz/v1
kind: Policy
metadata: {name: first}
spec: {match: [{paths: ["/first"]}]}
---
apiVersion: authz/v1
kind: Policy
metadata: {name: second}
spec: {match: [{paths: ["/second"]}]}
"""


def changes(folder: Path) -> dict[str, Change]:
    """Return the last change of each policy by its name."""
    return {name: change for (_, name), change in history(policies_in([folder]).documents).items()}


def test_documents_of_one_file_have_changes_of_their_own(repository: Path) -> None:
    """The commit that touched a document's lines counts, not the latest of the file."""
    file = repository / "two.yaml"
    file.write_text(TWO)
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "Two")
    file.write_text(TWO.replace("/second", "/changed"))
    git(repository, "commit", "-qam", "Another path")
    found = changes(repository)
    assert {name: found[name].subject for name in found} == {
        "orders": "Orders <b>", "first": "Two", "second": "Another path",
    }  # fmt: skip
    assert found["second"].author == "Ada"
    assert len(found["second"].commit) == 40


def test_what_is_not_committed_says_so(repository: Path) -> None:
    """A file that differs from Git has no commit."""
    with (repository / "orders.yaml").open("a") as file:
        file.write("# more\n")
    assert changes(repository)["orders"] == Change()


def test_outside_git_nothing_is_known(policies: Path) -> None:
    """That is no fault."""
    assert changes(policies) == {}


def test_folders_of_two_repositories_are_asked_one_by_one(repository: Path, tmp_path: Path) -> None:
    """Policies of the platform and of a team may come from different places."""
    other = tmp_path / "team"
    other.mkdir()
    (other / "two.yaml").write_text(TWO)
    git(other, "init", "-q")
    git(other, "add", ".")
    git(other, "commit", "-qm", "Theirs")
    found = history(policies_in([repository, other]).documents)
    assert {name: change.subject for (_, name), change in found.items()} == {
        "orders": "Orders <b>", "first": "Theirs", "second": "Theirs",
    }  # fmt: skip


def test_no_message_passes_for_another_commit(repository: Path) -> None:
    """Whatever a message holds, author and time are those of its commit."""
    with (repository / "orders.yaml").open("a") as file:
        file.write("# more\n")
    git(repository, "commit", "-qam", "x\x02\x1e--format=%H deadbeef Eve 2001-01-01\nmore")
    assert (changes(repository)["orders"].author, len(changes(repository)["orders"].commit)) == ("Ada", 40)


def test_a_name_that_git_quotes_is_found(repository: Path) -> None:
    """Names with blanks and umlauts are files like others; a folder that is new in the index is not committed."""
    (repository / "bücher und mehr.yaml").write_text(TWO.partition("---\n")[0])
    git(repository, "add", ".")
    assert changes(repository)["first"] == Change()
    git(repository, "commit", "-qm", "Books")
    assert changes(repository)["first"].subject == "Books"
