"""Which files documents may take secrets from.

A document names the file of a secret by its path, and whoever writes documents need not be who may read every file of
this process: a provider that introspects sends its secret to an endpoint of the document's choice. So what is this
service's own (passwords, keys, the account that Kubernetes mounts) is lent to no document, nor is what the kernel shows
of processes; settings can name the folders that alone are for documents. Links are followed first, at every reading.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authz.config import Settings

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where Kubernetes mounts a pod's own token and the certificates of its API server."""

LARGEST = 64 * 1024
"""Bytes of a secret."""

_NEVER = (Path("/proc"), Path("/sys"))
"""Where the kernel shows processes: their environment, other files by other names."""


class Entrusted:
    """Reads secrets for documents; from any thread.

    `folders` are those that secrets must be in, none: any. `ours` are files and folders that no document may name.
    """

    def __init__(self, folders: Iterable[Path] = (), ours: Iterable[Path] = (Path(ACCOUNT),)) -> None:
        self._folders = tuple(folders)
        self._ours = (*_NEVER, *ours)

    def permitted(self, file: str) -> Path:
        """Return the path of a file, links followed; raises `ValueError` where it is no document's."""
        path = Path(file).resolve()
        if _is_within(path, self._ours):
            raise ValueError("it is no document's: this service's own, or the system's")
        if self._folders and not _is_within(path, self._folders):
            raise ValueError("it is in none of the folders of the setting identity.secrets")
        return path

    def content(self, file: str) -> bytes:
        """Return what a file holds, without the white space an editor left; raises `ValueError` and `OSError`."""
        path = self.permitted(file)
        if path.exists() and not path.is_file():
            raise ValueError("it is no regular file")
        with path.open("rb") as opened:
            content = opened.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise ValueError(f"it is larger than {LARGEST} bytes")
        return content.strip()

    def text(self, file: str) -> str:
        """Return what a file holds as text; as `content`."""
        return self.content(file).decode()


def entrusted(settings: Settings) -> Entrusted:
    """Return what reads secrets for documents: none that settings name for this service."""
    redis, tls = settings.redis, settings.tls
    named = (redis.password_file, redis.secret_file, tls.key, settings.record.key_file, *settings.signing.keys)
    return Entrusted(settings.identity.secrets, (Path(ACCOUNT), *filter(None, named)))


def _is_within(path: Path, places: Iterable[Path]) -> bool:
    """Say whether a path is one of some places or below one, by whatever name they go."""
    return any(path.is_relative_to(place.resolve()) for place in places)
