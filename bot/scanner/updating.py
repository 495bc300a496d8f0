"""Bringing the vulnerability database up to date: mirror by mirror, and never over the one in use."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bot.errors import RefitError

# The metadata last: until it is there, a newer database counts for none.
FILES: Final = ("trivy.db", "metadata.json")
Download = Callable[[str, Path], None]
# As Trivy itself: a database that was fetched within the hour is not asked for again, though it is due.
_REST: Final = timedelta(hours=1)


def update(cache: Path, repositories: tuple[str, ...], download: Download, now: datetime) -> str:
    """Update from the first repository that gives a database, where there may be a newer one.

    It is downloaded beside the one that is there and moved over it whole: Trivy itself would remove the old
    one first, and a download that breaks off would leave none.

    Args:
        cache: Folder whose `db/` is brought up to date.
        repositories: OCI repositories, tried in order; empty means Trivy's own.
        download: Runs Trivy's download from a repository into a cache folder.
        now: Wall time.

    Returns:
        Why no repository gave one, in words; empty where one did, or none is due.
    """
    if not _due(cache / "db", now):
        return ""
    cache.mkdir(parents=True, exist_ok=True)
    failures = []
    for repository in repositories or ("",):
        try:
            return _download_beside(cache, repository, download)
        except (RefitError, OSError) as error:
            failures.append(f"{repository or 'the default repositories'} ({_said(error)})")
    return f"the database could not be updated from {', nor from '.join(failures)}"


def _download_beside(cache: Path, repository: str, download: Download) -> str:
    with tempfile.TemporaryDirectory(prefix="incoming-", dir=cache) as folder:
        download(repository, Path(folder))
        (cache / "db").mkdir(exist_ok=True)
        for name in FILES:
            (Path(folder) / "db" / name).replace(cache / "db" / name)
    return ""


def _due(folder: Path, now: datetime) -> bool:
    """Whether its makers have made a newer one since; true of one that cannot be read."""
    try:
        metadata = json.loads((folder / "metadata.json").read_bytes())
        due, fetched = (_moment(metadata, name) for name in ("NextUpdate", "DownloadedAt"))
        return now >= max(due, fetched + _REST) or not (folder / "trivy.db").is_file()
    except (OSError, ValueError, KeyError, TypeError):
        return True


def _moment(metadata: dict[str, object], name: str) -> datetime:
    moment = datetime.fromisoformat(str(metadata[name]))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _said(error: RefitError | OSError) -> str:
    return error.message if isinstance(error, RefitError) else str(error.strerror)
