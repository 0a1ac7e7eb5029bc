"""Write `authz/cel/docs/reference.md` anew: `python tests/cel/write_reference.py`."""

from __future__ import annotations

from pathlib import Path

from authz.cel.reference import reference

ROOT = Path(__file__).parents[2]
VOCABULARY = ROOT / "protos" / "authz" / "v1" / "vocabulary.proto"
REFERENCE = ROOT / "authz" / "cel" / "docs" / "reference.md"

if __name__ == "__main__":
    REFERENCE.parent.mkdir(exist_ok=True)
    REFERENCE.write_text(reference(VOCABULARY.read_text()))
