"""Commits, trees, refs, differences and pull requests as GitHub's JSON, read from the bare repository."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.github_server import shapes
from tests.github_server.state import timestamp

if TYPE_CHECKING:
    from tests.github_server.git import Commit, Person, TreeEntry
    from tests.github_server.routing import Call
    from tests.github_server.state import Issue, Pull, Repository

JSON = dict[str, Any]
_CHANGES = {"A": "added", "M": "modified", "D": "removed", "R": "renamed", "T": "changed", "C": "copied"}


def root(call: Call, repo: Repository) -> str:
    return f"{call.api}/repos/{repo.full_name}"


def ref(call: Call, repo: Repository, name: str, sha: str) -> JSON:
    kind = repo.git.type_of(sha)
    target = {"sha": sha, "type": kind, "url": f"{root(call, repo)}/git/{kind}s/{sha}"}
    url = f"{root(call, repo)}/git/{quote(name)}"
    return {"ref": name, "node_id": shapes.node("Ref", name), "url": url, "object": target}


def person(someone: Person) -> JSON:
    seconds = int(someone.date.split()[0])
    return {
        "name": someone.name,
        "email": someone.email,
        "date": timestamp(datetime.fromtimestamp(seconds, UTC)),
    }


def verification(repo: Repository, sha: str) -> JSON:
    """GitHub signs what an App's token commits without naming an author; nothing else here is signed."""
    signed = sha in repo.verified
    return {
        "verified": signed,
        "reason": "valid" if signed else "unsigned",
        "signature": "-----BEGIN PGP SIGNATURE-----" if signed else None,
        "payload": f"tree of {sha}" if signed else None,
        "verified_at": timestamp() if signed else None,
    }


def git_commit(call: Call, repo: Repository, found: Commit) -> JSON:
    api, html = root(call, repo), f"{call.origin}/{repo.full_name}"
    parents = [
        {"sha": sha, "url": f"{api}/git/commits/{sha}", "html_url": f"{html}/commit/{sha}"}
        for sha in found.parents
    ]
    return {
        "sha": found.sha,
        "node_id": shapes.node("Commit", found.sha),
        "url": f"{api}/git/commits/{found.sha}",
        "html_url": f"{html}/commit/{found.sha}",
        "author": person(found.author),
        "committer": person(found.committer),
        "message": found.message,
        "tree": {"sha": found.tree, "url": f"{api}/git/trees/{found.tree}"},
        "parents": parents,
        "verification": verification(repo, found.sha),
    }


def commit(call: Call, repo: Repository, found: Commit) -> JSON:
    """A commit of the commits API: the git object wrapped, with the accounts of its people."""
    api, inner = root(call, repo), git_commit(call, repo, found)
    url = f"{api}/commits/{found.sha}"
    kept = {name: inner[name] for name in ("author", "committer", "message", "tree", "verification")}
    return {
        "sha": found.sha,
        "node_id": inner["node_id"],
        "url": url,
        "html_url": inner["html_url"],
        "comments_url": f"{url}/comments",
        "commit": kept | {"url": inner["url"], "comment_count": 0},
        "author": _account(call, found.author),
        "committer": _account(call, found.committer),
        "parents": [parent | {"url": f"{api}/commits/{parent['sha']}"} for parent in inner["parents"]],
    }


def _account(call: Call, someone: Person) -> JSON | None:
    """GitHub finds the account by the address; its own no-reply addresses name the login."""
    login = someone.email.partition("@users.noreply.")[0].rpartition("+")[2]
    found = call.world.accounts.get(login)
    return shapes.user(call, found) if found and "@users.noreply." in someone.email else None


def tree(call: Call, repo: Repository, sha: str, entries: list[TreeEntry]) -> JSON:
    api = root(call, repo)
    rows = []
    for entry in entries:
        row: JSON = {"path": entry.path, "mode": entry.mode, "type": entry.type, "sha": entry.sha}
        if entry.type != "commit":
            row["url"] = f"{api}/git/{entry.type}s/{entry.sha}"
        rows.append(row | ({"size": entry.size} if entry.size is not None else {}))
    return {"sha": sha, "url": f"{api}/git/trees/{sha}", "tree": rows, "truncated": False}


def files(call: Call, repo: Repository, base: str, head: str) -> list[JSON]:
    """The differences between two commits, one entry for each file."""
    raw = repo.git.run("diff-tree", "-r", "-M", "-z", "--no-commit-id", base, head).decode().split("\0")
    entries, position = [], 0
    while position < len(raw) and raw[position].startswith(":"):
        _, _, _, sha, letter = raw[position].split(" ")
        names = 2 if letter[0] in "RC" else 1
        paths = raw[position + 1 : position + 1 + names]
        entries.append(_file(call, repo, (base, head), (letter, sha), paths))
        position += 1 + names
    return entries


def _file(
    call: Call, repo: Repository, span: tuple[str, str], change: tuple[str, str], paths: list[str]
) -> JSON:
    base, head = span
    letter, sha = change
    name = paths[-1]
    counts = repo.git.line("diff", "-M", "--numstat", base, head, "--", *paths).split("\t")
    added, removed = (0, 0) if counts[0] in {"-", ""} else (int(counts[0]), int(counts[1]))
    html = f"{call.origin}/{repo.full_name}"
    old = sha if letter[0] != "D" else repo.git.line("rev-parse", f"{base}:{name}")
    shape: JSON = {
        "sha": old,
        "filename": name,
        "status": _CHANGES[letter[0]],
        "additions": added,
        "deletions": removed,
        "changes": added + removed,
        "blob_url": f"{html}/blob/{head}/{quote(name)}",
        "raw_url": f"{html}/raw/{head}/{quote(name)}",
        "contents_url": f"{root(call, repo)}/contents/{quote(name)}?ref={head}",
    }
    patch = repo.git.run("diff", "-M", base, head, "--", *paths).decode(errors="replace").partition("\n@@")
    shape |= {"patch": "@@" + patch[2].rstrip("\n")} if patch[2] else {}
    return shape | ({"previous_filename": paths[0]} if len(paths) == 2 else {})


def pull_simple(call: Call, repo: Repository, item: Issue, pull: Pull) -> JSON:
    """A pull request as lists show it."""
    as_issue = shapes.issue(call, repo, item)
    url, html = f"{root(call, repo)}/pulls/{item.number}", str(as_issue["html_url"])
    statuses = f"{root(call, repo)}/statuses/{pull.head_sha}"
    same = "id number title body user labels state locked active_lock_reason assignee assignees milestone"
    times = "created_at updated_at closed_at author_association"
    links = {
        "issue_url": as_issue["url"],
        "comments_url": as_issue["comments_url"],
        "commits_url": f"{url}/commits",
        "review_comments_url": f"{url}/comments",
        "review_comment_url": f"{root(call, repo)}/pulls/comments{{/number}}",
        "statuses_url": statuses,
    }
    named = {"self": url, "html": html, "issue": as_issue["url"], "comments": as_issue["comments_url"]}
    more = {"commits": f"{url}/commits", "review_comments": f"{url}/comments", "statuses": statuses}
    hrefs = named | more | {"review_comment": links["review_comment_url"]}
    return {
        **{name: as_issue[name] for name in f"{same} {times}".split()},
        **links,
        "_links": {name: {"href": href} for name, href in hrefs.items()},
        "node_id": shapes.node("PullRequest", item.id),
        "url": url,
        "html_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "draft": pull.draft,
        "merged_at": pull.merged_at,
        "merge_commit_sha": pull.merge_commit,
        "auto_merge": pull.auto_merge,
        "requested_reviewers": [shapes.user(call, account) for account in pull.reviewers],
        "requested_teams": [],
        "head": _end(call, call.world.repositories.get(pull.fork, repo), pull.head, pull.head_sha),
        "base": _end(call, repo, pull.base, pull.base_sha),
    }


def _end(call: Call, repo: Repository, branch: str, sha: str) -> JSON:
    owner = shapes.user(call, repo.owner)
    label = f"{repo.owner.login}:{branch}"
    return {"label": label, "ref": branch, "sha": sha, "user": owner, "repo": shapes.repository(call, repo)}


def pull_full(call: Call, repo: Repository, item: Issue, pull: Pull, mergeable: bool | None) -> JSON:  # noqa: FBT001 - three-valued, as GitHub's field
    """A pull request in full, with its counts and whether it merges (None: not known yet)."""
    start = repo.git.merge_base(pull.base_sha, pull.head_sha) or pull.base_sha
    changed = files(call, repo, start, pull.head_sha)
    states = {None: "unknown", True: "draft" if pull.draft else "clean", False: "dirty"}
    return pull_simple(call, repo, item, pull) | {
        "merged": pull.merged_at is not None,
        "merged_by": shapes.user(call, pull.merged_by) if pull.merged_by else None,
        "mergeable": mergeable,
        "rebaseable": mergeable,
        "mergeable_state": states[mergeable],
        "comments": sum(comment.issue == item.number for comment in repo.comments.values()),
        "review_comments": 0,
        "maintainer_can_modify": pull.maintainer_can_modify,
        "commits": len(repo.git.log(f"{start}..{pull.head_sha}")),
        "additions": sum(entry["additions"] for entry in changed),
        "deletions": sum(entry["deletions"] for entry in changed),
        "changed_files": len(changed),
    }
