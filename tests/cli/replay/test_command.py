"""What other policies would have made of requests that were decided."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

from authz.cli.output import Exit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def replayed(run: Callable[..., Any], log: Path, after: Path, *flags: str) -> Any:
    """Run `authz replay` and return what it says as data."""
    ran = run("replay", str(log), "--policies", str(after), "--output", "json", "--workers", "1", *flags)
    return json.loads(ran.out), ran


def test_exactly_the_changes_are_found(run: Callable[..., Any], log: Path, after: Path) -> None:
    """Newly denied, newly allowed, and undetermined with what was not recorded; all else is as before."""
    found, ran = replayed(run, log, after)
    assert ran.status == 0
    assert {name: found[name] for name in ("records", "same", "newly_denied", "newly_allowed", "undetermined")} == {
        "records": 6, "same": 2, "newly_denied": 1, "newly_allowed": 1, "undetermined": 2,
    }  # fmt: skip
    groups = {group["kind"]: group for group in found["groups"]}
    assert groups["newly denied"]["was"] == "allow by orders/tenants"
    assert groups["newly denied"]["now"] == "deny by orders/evil"
    assert groups["newly denied"]["route"] == "/orders/{id}"
    assert groups["newly denied"]["callers"] == [{"caller": "203.0.113.9", "count": 1}]
    assert groups["newly allowed"]["example"] == "d-2"
    assert groups["undetermined"]["not_recorded"] == ['request.headers["x-new"]']


def test_a_change_can_fail_a_pipeline(run: Callable[..., Any], log: Path, after: Path, tmp_path: Path) -> None:
    """`--fail-on-change` exits 5 where anything changed or cannot be told, and 0 where nothing did."""
    assert replayed(run, log, after, "--fail-on-change")[1].status == Exit.REPLAY
    same = tmp_path / "same.jsonl"
    same.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[1:3]))
    assert replayed(run, same, after, "--fail-on-change")[1].status == 0


def test_nothing_to_replay_proves_nothing(run: Callable[..., Any], after: Path, tmp_path: Path) -> None:
    """A folder that holds no records is told, and fails a pipeline that was to find no change in it."""
    empty = tmp_path / "empty"
    empty.mkdir()
    for more, status in (((), Exit.FINE), (("--fail-on-change",), Exit.UNEXPECTED)):
        ran = run("replay", str(empty), "--policies", str(after), *more)
        assert (ran.status, ran.err) == (status, f"{empty} holds no records of decisions\n")


def test_people_see_the_largest_groups_and_reviews_a_table(run: Callable[..., Any], log: Path, after: Path) -> None:
    """Pretty says what was and what is; Markdown is for a pull request."""
    pretty = run("replay", str(log), "--policies", str(after)).out
    assert pretty.startswith("6 records, 2 as before, 1 newly denied, 1 newly allowed, 2 undetermined\n")
    assert "was allow by orders/tenants, now deny by orders/evil" in pretty
    assert 'not recorded: request.headers["x-new"]' in pretty
    markdown = run("replay", str(log), "--policies", str(after), "--output", "markdown").out
    assert "### Newly denied: 1" in markdown
    assert "| 1 | GET api.example.com/orders/\\{id\\} | allow by orders/tenants | deny by orders/evil |" in markdown


def test_a_compressed_log_says_the_same(run: Callable[..., Any], log: Path, after: Path, tmp_path: Path) -> None:
    """Rotated logs are read as they are, and a folder is all that is in it."""
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "decisions.jsonl.1.gz").write_bytes(gzip.compress(log.read_bytes()))
    (folder / "decisions.jsonl").write_bytes(log.read_bytes())
    found, _ = replayed(run, folder, after)
    assert (found["records"], found["newly_denied"]) == (12, 2)


def test_what_cannot_be_read_is_told_with_its_place(
    run: Callable[..., Any], log: Path, after: Path, broken: str, tmp_path: Path
) -> None:
    """A line that is no record has its number, a file that is not there its name, policies their carets."""
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes(log.read_bytes() + b"{nonsense\n")
    ran = run("replay", str(bad), "--policies", str(after))
    assert ran.status == Exit.UNEXPECTED
    assert f"{bad}: line 9: no record:" in ran.err
    ran = run("replay", str(tmp_path / "none"), "--policies", str(after))
    assert ran.status == Exit.ARGUMENTS
    assert "none' does not exist" in ran.err
    ran = run("replay", str(log), "--policies", broken)
    assert ran.status == Exit.POLICIES
    assert "^" in ran.err
