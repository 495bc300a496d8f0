"""What is remembered of a project on GitHub, so that an unchanged one costs one request.

The project itself is asked for with its last ETag: while nobody pushed, GitHub answers 304 and everything
here still holds. GitHub dates pushes to the second, so what was pushed a moment ago is not yet relied on.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final

from bot.model.marker import file_name

_SETTLED: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of a commit: git mode, type (`blob`, `tree`, `commit`), object id, size in bytes."""

    mode: str
    type: str
    oid: str
    size: int


@dataclass(frozen=True, slots=True)
class Known:
    """A project as it was when we looked last.

    Attributes:
        etag: To ask whether anything changed; empty where that cannot be relied on.
        full_name: Its name now: it may have been renamed or transferred.
        default_branch: Its default branch.
        archived: True where nothing can be written to it.
        branch: The branch that was read.
        commit: The commit that branch was at.
        tree: Git id of that commit's tree.
        entries: Every path of it; empty where GitHub does not list them all.
    """

    etag: str
    full_name: str
    default_branch: str
    archived: bool
    branch: str = ""
    commit: str = ""
    tree: str = ""
    entries: dict[str, Entry] = field(default_factory=dict)


def described(data: dict[str, Any], headers: dict[str, Any]) -> Known:
    """A project as GitHub describes it; nothing of its files yet."""
    return Known(
        etag=headers.get("etag", "") if _settled(data, headers) else "",
        full_name=data["full_name"],
        default_branch=data["default_branch"],
        archived=bool(data.get("archived")),
    )


def _settled(data: dict[str, Any], headers: dict[str, Any]) -> bool:
    """Whether the last push is old enough that another one would have another date."""
    try:
        pushed = datetime.fromisoformat(data["pushed_at"])
        return parsedate_to_datetime(headers["date"]) - pushed > _SETTLED
    except (KeyError, TypeError, ValueError):
        return False


class Shelf:
    """Where it is kept: one file a project, and each file's bytes once, by git id.

    Args:
        folder: Private to the owner of the state.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, project: str) -> Known | None:
        """What is known of a project; None where nothing is, or it cannot be read any more."""
        try:
            fields = json.loads(self._page(project).read_text())
            entries = {path: Entry(*values) for path, values in fields.pop("entries").items()}
            return Known(**fields, entries=entries)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def save(self, project: str, known: Known) -> None:
        """Remember a project."""
        fields = asdict(known)
        fields["entries"] = {path: list(entry.values()) for path, entry in fields["entries"].items()}
        _write(self._page(project), json.dumps(fields, separators=(",", ":")).encode())

    def blob(self, oid: str) -> bytes | None:
        """The bytes of a file, where they are at hand and still what their id says."""
        try:
            content = self._blob(oid).read_bytes()
        except OSError:
            return None
        return content if blob_id(content) == oid else None

    def keep(self, oid: str, content: bytes) -> None:
        """Keep the bytes of a file."""
        _write(self._blob(oid), content)

    def _page(self, project: str) -> Path:
        return self._folder / f"{file_name(project)}.json"

    def _blob(self, oid: str) -> Path:
        return self._folder / "blobs" / oid[:2] / oid[2:]


def blob_id(content: bytes) -> str:
    """The id that git gives to these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(temporary).replace(path)
