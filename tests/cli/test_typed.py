"""What is typed is looked at before a verb sees it."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["keys", "new", "--role", ""], "'--role': is empty"),
        (["keys", "new", "--role", "admin", "--role", " \t"], "'--role': is empty"),
        (["keys", "new", "--scope", ""], "'--scope': is empty"),
        (["keys", "new", "--subject", " "], "'--subject': is empty"),
        (["keys", "new", "--id", ""], "'--id': is empty"),
        (["keys", "new", "--expires", ""], "'--expires': is empty"),
        (["keys", "new", "--secret-file", ""], "'--secret-file': is empty"),
        (["keys", "new", "--role", "a", "--role", "b", "--role", "a"], "'--role': \"a\" is given twice"),
        (["keys", "new", "--role", " admin"], "'--role': \" admin\" has blanks around it"),
        (["keys", "new", "--scope", "a\x1b[2J"], "'--scope': 'a\\x1b[2J' holds what can't be shown"),
        (["keys", "new", "--id", os.fsdecode(b"\xff")], "'--id': '\\udcff' holds what can't be shown"),
        (["eval", "GET", "/", "--as", ""], "'--as': is empty"),
        (["envoy", "--check", "envoy.yaml", "--accept", "AZ901", "--accept", "AZ901"], '"AZ901" is given twice'),
        (["import", "openapi", "api.yaml", "--output-dir", "made", "--host", ""], "'--host': is empty"),
        (["limits", "show", "", "alice"], "'LIMIT': is empty"),
        (["help", ""], "'code': is empty"),
    ],
)
def test_what_is_blank_or_there_twice_is_refused(arguments: list[str], told: str, run: Callable[..., Any]) -> None:
    """A role that is empty, or an end that a variable was to hold, makes no key; the flag is named."""
    ran = run(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert told in ran.err


@pytest.mark.parametrize("arguments", [["init", ""], ["check", ""], ["sign", "", "--key", "k"], ["init", "--", " "]])
def test_a_place_that_is_blank_is_not_the_folder_one_stands_in(
    arguments: list[str], run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`authz init "$FOLDER"` without the variable writes nothing anywhere."""
    monkeypatch.chdir(tmp_path)
    assert run(*arguments).status == 2
    assert not list(tmp_path.iterdir())


def test_what_may_be_blank_or_there_twice_still_may(run: Callable[..., Any], tmp_path: Path) -> None:
    """A body may be empty and a header may come twice."""
    (tmp_path / "p.yaml").write_text(
        "apiVersion: authz/v1\nkind: Policy\nmetadata: {name: a}\n"
        'spec: {match: [{paths: ["/a"]}], rules: [{name: r, allow: "true"}]}\n'
    )
    again = ["-H", "x-a: 1", "-H", "x-a: 1"]
    ran = run("eval", "POST", "/a", "-d", "", *again, "--policies", str(tmp_path), "--output", "json")
    assert json.loads(ran.out)["decision"] == "allow"
    assert run("keys", "new", "--subject", "Ann Onymous", "--role", "a b", "--role", "b").status == 0
