"""Everybody's open pull requests on GitHub, and what they change."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from itertools import islice
from typing import Final

from github.PullRequest import PullRequest as Pull

from bot.forge import pulls
from bot.forge.place import Place, is_by, login_of
from bot.model.marker import parse
from bot.model.pulls import OpenPull, Proposal

_LOOKED_AT: Final = 200
_FILES: Final = 300
_BYTES: Final = 1024**2


def open_pulls(place: Place, base: str) -> tuple[OpenPull, ...]:
    """The newest open pull requests into a branch; at most 200."""
    listed = place.repo.get_pulls(state="open", base=base, sort="created", direction="desc")
    return tuple(_open_pull(place, pull) for pull in islice(listed, _LOOKED_AT))


def proposal(place: Place, pull: OpenPull, paths: Sequence[str]) -> Proposal:
    """What a pull request changes; of very large ones the first 300 files."""
    changed = list(islice(_handle(place, pull).get_files(), _FILES))
    files = {
        file.filename: _blob(place, file.sha)
        for file in changed
        if file.filename in paths and file.status != "removed"
    }
    return Proposal(files, tuple(file.filename for file in changed if file.filename not in files))


def _open_pull(place: Place, pull: Pull) -> OpenPull:
    home = pull.head.raw_data.get("repo")  # None where the fork was deleted
    author = login_of(pull.user)
    ours = is_by(pull.user, place.login) and parse(pull.body) is not None
    return OpenPull(
        number=pull.number,
        url=pull.html_url,
        author=author,
        branch=pull.head.ref,
        base=pull.base.ref,
        commit=pull.head.sha,
        trusted=home is not None and home["full_name"] == pull.base.repo.full_name,
        ours=pulls.publication(place, pull) if ours else None,
    )


def _handle(place: Place, pull: OpenPull) -> Pull:
    url = f"{place.repo.url}/pulls/{pull.number}"
    return Pull(place.repo.requester, {}, {"url": url, "number": pull.number}, completed=True)


def _blob(place: Place, sha: str) -> bytes:
    blob = place.repo.get_git_blob(sha)
    return base64.b64decode(blob.content) if blob.size <= _BYTES else b""
