"""Reading projects on GitHub: what changed is asked for, the rest is known."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any, Final

from github import Github

from bot.errors import ForgeRefused
from bot.forge.known import Entry, Known, Shelf, blob_id, described

_BLOB_LIMIT: Final = 20 * 1024**2


def refreshed(client: Github, name: str, base: str | None, shelf: Shelf) -> Known:
    """What is known of a project, brought up to date: one request where nobody pushed.

    Args:
        client: May read the project.
        name: `owner/name`.
        base: The branch to read; None for the default branch.
        shelf: What was known before.

    Raises:
        ForgeRefused: It is archived, or has no such branch.
        GithubException: GitHub said no.
    """
    last = shelf.load(name)
    etag = last.etag if last else ""
    headers, data = _get(client, f"/repos/{name}", {"If-None-Match": etag} if etag else {})
    project = last if data is None and last else described(data, headers)
    if project.archived:
        raise ForgeRefused(f"{name} is archived", hint="Take it out of the configuration, or unarchive it.")
    branch = base or project.default_branch
    if data is None and last and last.branch == branch:
        return last
    read = _read(client, replace(project, branch=branch), last)
    shelf.save(name, read)
    return read


def _read(client: Github, project: Known, last: Known | None) -> Known:
    """The commit that the branch is at and all its paths; what is known of that commit is not asked again."""
    commit = _head(client, project)
    if last is not None and last.commit == commit and last.tree:
        return replace(project, commit=commit, tree=last.tree, entries=last.entries)
    _, data = _get(client, f"/repos/{project.full_name}/git/trees/{commit}", {}, recursive="1")
    entries = {} if data.get("truncated") else {item["path"]: _entry(item) for item in data["tree"]}
    tree = "" if data.get("truncated") else data["sha"]
    return replace(project, commit=commit, tree=tree, entries=entries)


def _head(client: Github, project: Known) -> str:
    ref = f"heads/{project.branch}"
    _, found = _get(client, f"/repos/{project.full_name}/git/matching-refs/{ref}", {})
    for item in found or []:
        if item["ref"] == f"refs/{ref}":
            return str(item["object"]["sha"])
    raise ForgeRefused(
        f"{project.full_name} has no branch {project.branch}",
        hint="Correct the project's `base`, or leave it out for the default branch.",
    )


def blob(client: Github, full_name: str, oid: str, shelf: Shelf) -> tuple[bytes, bool]:
    """The bytes of a file, and whether they had to be asked for.

    Raises:
        ForgeRefused: They are not what their id says.
    """
    if (content := shelf.blob(oid)) is not None:
        return content, False
    _, data = _get(client, f"/repos/{full_name}/git/blobs/{oid}", {})
    if data["size"] > _BLOB_LIMIT:
        raise ForgeRefused(f"a file of {full_name} has {data['size']} bytes")
    content = base64.b64decode(data["content"])
    if blob_id(content) != oid:
        raise ForgeRefused(f"{full_name}: GitHub's answer for file {oid[:12]} is not that file")
    shelf.keep(oid, content)
    return content, True


def _entry(item: dict[str, Any]) -> Entry:
    return Entry(item["mode"], item["type"], item["sha"], item.get("size") or 0)


def _get(client: Github, path: str, headers: dict[str, str], **parameters: str) -> tuple[dict[str, Any], Any]:
    """One GET; the answer is None where nothing changed (304)."""
    return client.requester.requestJsonAndCheck("GET", path, parameters or None, headers or None)
