"""What was made is written as a whole, and over nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from authz.cli.from_openapi.files import text, write
from authz.cli.from_openapi.policies import Made
from authz.cli.placing import Taken

MADE = Made(documents={"a.yaml": [{"a": 1}, {"b": "${x}"}]}, copied={"parts/b.yaml": b"c: 1"}, notes=())


def test_documents_are_yaml_that_reads_back() -> None:
    """Every document of a file, in order."""
    assert list(yaml.safe_load_all(text(MADE.documents["a.yaml"]))) == [{"a": 1}, {"b": "${x}"}]


def test_nothing_is_overwritten_unless_that_is_wanted(tmp_path: Path) -> None:
    """With one file in the way nothing is written; what is the same already is not in the way."""
    assert write(MADE, tmp_path / "new", force=False) == ("a.yaml", "parts/b.yaml")
    with pytest.raises(Taken, match=r"^a\.yaml$"):
        write(MADE, tmp_path / "new", force=False)

    (tmp_path / "old" / "parts").mkdir(parents=True)
    (tmp_path / "old" / "parts" / "b.yaml").write_text("mine")
    with pytest.raises(Taken, match=r"^parts/b\.yaml$"):
        write(MADE, tmp_path / "old", force=False)
    assert not (tmp_path / "old" / "a.yaml").exists()
    write(MADE, tmp_path / "old", force=True)
    assert (tmp_path / "old" / "parts" / "b.yaml").read_bytes() == b"c: 1"
