"""Bringing a database of Trivy's up to date: mirror by mirror, and never over the one in use."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bot.errors import RefitError
from bot.scanner.hold import Hold, remove_unheld

Download = Callable[[str, Path], None]
# As Trivy itself: a database that was fetched within the hour is not asked for again, though it is due.
_REST: Final = timedelta(hours=1)
_INCOMING: Final = "incoming-"


@dataclass(frozen=True, slots=True)
class Kind:
    """A database of Trivy's: its folder, and its files; until the last one is there, it counts for none."""

    folder: str
    files: tuple[str, ...]


VULNERABILITIES: Final = Kind("db", ("trivy.db", "metadata.json"))
JAVA: Final = Kind("java-db", ("trivy-java.db", "metadata.json"))


def update(kind: Kind, cache: Path, repositories: tuple[str, ...], download: Download, now: datetime) -> str:
    """Update a database from the first repository that gives it, where there may be a newer one.

    It is downloaded beside the one that is there and moved over it whole: Trivy itself would remove the old
    one first, and a download that breaks off would leave none.

    Args:
        kind: Which.
        cache: Folder that holds its folder.
        repositories: OCI repositories, tried in order; empty means Trivy's own.
        download: Runs Trivy's download from a repository into a cache folder.
        now: Wall time.

    Returns:
        Why no repository gave one, in words; empty where one did, or none is due.
    """
    if not _due(kind, cache, now):
        return ""
    cache.mkdir(parents=True, exist_ok=True)
    failures = []
    for repository in repositories or ("",):
        try:
            return _download_beside(kind, cache, repository, download)
        except (RefitError, OSError) as error:
            failures.append(f"{repository or 'the default repositories'} ({_said(error)})")
    return f"the database could not be updated from {', nor from '.join(failures)}"


def _download_beside(kind: Kind, cache: Path, repository: str, download: Download) -> str:
    for left in cache.glob(f"{_INCOMING}*"):
        remove_unheld(left)  # by a process that was killed
    with tempfile.TemporaryDirectory(prefix=_INCOMING, dir=cache) as folder:
        coming = Hold(Path(folder))  # noqa: F841 - held while it lives
        download(repository, Path(folder))
        (cache / kind.folder).mkdir(exist_ok=True)
        for name in kind.files:
            (Path(folder) / kind.folder / name).replace(cache / kind.folder / name)
    return ""


def _due(kind: Kind, cache: Path, now: datetime) -> bool:
    """Whether its makers have made a newer one since; true of one that cannot be read."""
    folder = cache / kind.folder
    try:
        metadata = json.loads((folder / kind.files[-1]).read_bytes())
        due, fetched = (_moment(metadata, name) for name in ("NextUpdate", "DownloadedAt"))
        return now >= max(due, fetched + _REST) or not all((folder / name).is_file() for name in kind.files)
    except (OSError, ValueError, KeyError, TypeError):
        return True


def _moment(metadata: dict[str, object], name: str) -> datetime:
    moment = datetime.fromisoformat(str(metadata[name]))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _said(error: RefitError | OSError) -> str:
    return error.message if isinstance(error, RefitError) else str(error.strerror)
