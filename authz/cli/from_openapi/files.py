"""What was made, as it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from authz.cli import placing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from authz.cli.from_openapi.policies import Made


_HEAD = "# Made by `authz import openapi`, to be changed from here on: nothing makes it again.\n"
_ONE_LINE = 100_000


class _Plain(yaml.SafeDumper):
    """Writes out what comes twice; policies have no aliases."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def write(made: Made, folder: Path, *, force: bool) -> tuple[str, ...]:
    """Write everything into a folder; return the names, raise `Taken` where files would be overwritten."""
    contents = {name: text(documents).encode() for name, documents in made.documents.items()}
    contents |= {name: content for name, content in made.copied.items() if not _same(folder / name, content)}
    placing.write(contents, folder, force=force)
    return tuple(sorted({*contents, *made.copied}))


def text(documents: Sequence[dict[str, Any]]) -> str:
    """Return documents as YAML."""
    return _HEAD + "---\n".join(
        yaml.dump(document, Dumper=_Plain, sort_keys=False, width=_ONE_LINE, allow_unicode=True)
        for document in documents
    )


def _same(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content
