"""Accounts, repositories, labels, issues, comments and checks as GitHub's JSON."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.github_server.routing import Call
    from tests.github_server.state import (
        Account,
        App,
        Comment,
        Installation,
        Issue,
        Label,
        Reaction,
        Repository,
        Status,
    )

JSON = dict[str, Any]
_REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "eyes", "rocket")
_USER_URLS = (
    *("events_url", "followers_url", "following_url", "gists_url", "organizations_url"),
    *("received_events_url", "repos_url", "starred_url", "subscriptions_url"),
)
_REPOSITORY_URLS = (
    *("archive", "assignees", "blobs", "branches", "collaborators", "comments", "commits", "compare"),
    *("contents", "contributors", "deployments", "downloads", "events", "forks", "git_commits", "git_refs"),
    *("git_tags", "hooks", "issue_comment", "issue_events", "issues", "keys", "labels", "languages"),
    *("merges", "milestones", "notifications", "pulls", "releases", "stargazers", "statuses"),
    *("subscribers", "subscription", "tags", "teams", "trees"),
)


def node(kind: str, number: int | str) -> str:
    """A node id: opaque to everybody, and different for each thing."""
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


def user(call: Call, account: Account) -> JSON:
    url = f"{call.api}/users/{quote(account.login)}"
    bot = account.login.endswith("[bot]")
    page = f"apps/{account.login.removesuffix('[bot]')}" if bot else account.login
    return {
        "login": account.login,
        "id": account.id,
        "node_id": node("User", account.id),
        "avatar_url": f"{call.origin}/avatars/{account.id}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{call.origin}/{page}",
        **{name: f"{url}/{name.removesuffix('_url')}" for name in _USER_URLS},
        "type": account.type,
        "site_admin": False,
    }


def writer(call: Call, account: Account) -> JSON | None:
    """Who wrote something; nobody where the account was deleted."""
    return None if account.deleted else user(call, account)


def full_user(call: Call, account: Account) -> JSON:
    nothing = dict.fromkeys(("name", "company", "location", "email", "hireable", "bio"))
    counts = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    times = {"created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z"}
    return user(call, account) | nothing | {"blog": ""} | counts | times


def repository(call: Call, repo: Repository) -> JSON:
    """A repository in full; the smaller shapes that GitHub has are parts of it."""
    url = f"{call.api}/repos/{repo.full_name}"
    html = f"{call.origin}/{repo.full_name}"
    open_issues = sum(issue.state == "open" for issue in repo.issues.values())
    return {
        "id": repo.id,
        "node_id": node("Repository", repo.id),
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
        "visibility": "private" if repo.private else "public",
        "owner": user(call, repo.owner),
        "html_url": html,
        "url": url,
        "description": None,
        "fork": repo.fork,
        **{f"{name}_url": f"{url}/{name}" for name in _REPOSITORY_URLS},
        "clone_url": f"{html}.git",
        "git_url": f"git://{html.partition('://')[2]}.git",
        "ssh_url": f"git@{html.partition('://')[2]}.git",
        "svn_url": html,
        "mirror_url": None,
        "homepage": None,
        "language": None,
        "license": None,
        "default_branch": repo.default_branch,
        "archived": repo.archived,
        "disabled": False,
        "topics": repo.topics,
        **dict.fromkeys(("has_issues", "has_projects", "has_wiki", "has_downloads"), True),
        **dict.fromkeys(("has_pages", "has_discussions", "is_template"), False),
        **dict.fromkeys(("forks", "forks_count", "stargazers_count", "watchers", "watchers_count"), 0),
        **dict.fromkeys(("network_count", "subscribers_count", "size"), 0),
        "open_issues": open_issues,
        "open_issues_count": open_issues,
        "pushed_at": repo.pushed_at,
        "created_at": repo.created_at,
        "updated_at": repo.created_at,
        "permissions": permissions(call.role(repo)),
        "allow_squash_merge": True,
        "allow_merge_commit": True,
        "allow_rebase_merge": True,
        "allow_auto_merge": repo.auto_merge,
        "delete_branch_on_merge": False,
    }


def permissions(role: str) -> dict[str, bool]:
    """A role as the flags that GitHub shows."""
    pushes = role in {"write", "admin"}
    return {"admin": role == "admin", "push": pushes, "pull": role != "none"}


def label(call: Call, repo: Repository, item: Label) -> JSON:
    return {
        "id": item.id,
        "node_id": node("Label", item.id),
        "url": f"{call.api}/repos/{repo.full_name}/labels/{quote(item.name)}",
        "name": item.name,
        "color": item.color,
        "default": False,
        "description": item.description,
    }


def labels(call: Call, repo: Repository, item: Issue) -> list[JSON]:
    return [label(call, repo, repo.labels[name.lower()]) for name in item.labels]


def association(repo: Repository, account: Account) -> str:
    """How an author belongs to a repository, in GitHub's words."""
    role = "OWNER" if account.login == repo.owner.login else None
    return role or ("COLLABORATOR" if repo.roles.get(account.login) in {"write", "admin"} else "NONE")


def issue(call: Call, repo: Repository, item: Issue) -> JSON:
    root = f"{call.api}/repos/{repo.full_name}"
    url = f"{root}/issues/{item.number}"
    html = f"{call.origin}/{repo.full_name}/{'pull' if item.pull else 'issues'}/{item.number}"
    people = [user(call, account) for account in item.assignees]
    shape = {
        "id": item.id,
        "node_id": node("PullRequest" if item.pull else "Issue", item.id),
        "number": item.number,
        "url": url,
        "repository_url": root,
        **{f"{name}_url": f"{url}/{name}" for name in ("labels", "comments", "events", "timeline")},
        "html_url": html,
        "title": item.title,
        "body": item.body,
        "user": writer(call, item.user),
        "labels": labels(call, repo, item),
        "state": item.state,
        "state_reason": item.state_reason,
        "locked": False,
        "active_lock_reason": None,
        "assignee": people[0] if people else None,
        "assignees": people,
        "milestone": None,
        "comments": sum(comment.issue == item.number for comment in repo.comments.values()),
        "created_at": item.created_at,
        "updated_at": item.updated_at,
        "closed_at": item.closed_at,
        "closed_by": user(call, item.closed_by) if item.closed_by else None,
        "author_association": association(repo, item.user),
        "reactions": rollup(f"{url}/reactions", item.reactions),
        "performed_via_github_app": app(call, item.app) if item.app else None,
    }
    if item.pull:
        shape |= {"draft": item.pull.draft, "pull_request": _pull_links(root, html, item)}
    return shape


def _pull_links(root: str, html: str, item: Issue) -> JSON:
    merged = item.pull.merged_at if item.pull else None
    url = f"{root}/pulls/{item.number}"
    return {
        "url": url,
        "html_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "merged_at": merged,
    }


def comment(call: Call, repo: Repository, item: Comment) -> JSON:
    url = f"{call.api}/repos/{repo.full_name}/issues/comments/{item.id}"
    pulls = repo.issues[item.issue].pull is not None
    page = f"{call.origin}/{repo.full_name}/{'pull' if pulls else 'issues'}/{item.issue}"
    return {
        "id": item.id,
        "node_id": node("IssueComment", item.id),
        "url": url,
        "html_url": f"{page}#issuecomment-{item.id}",
        "issue_url": f"{call.api}/repos/{repo.full_name}/issues/{item.issue}",
        "body": item.body,
        "user": writer(call, item.user),
        "created_at": item.created_at,
        "updated_at": item.updated_at,
        "author_association": association(repo, item.user),
        "reactions": rollup(f"{url}/reactions", item.reactions),
        "performed_via_github_app": app(call, item.app) if item.app else None,
    }


def reaction(call: Call, item: Reaction) -> JSON:
    return {
        "id": item.id,
        "node_id": node("Reaction", item.id),
        "user": writer(call, item.user),
        "content": item.content,
        "created_at": item.created_at,
    }


def rollup(url: str, reactions: Iterable[Reaction]) -> JSON:
    contents = [item.content for item in reactions]
    return {"url": url, "total_count": len(contents), **{name: contents.count(name) for name in _REACTIONS}}


def status(call: Call, repo: Repository, item: Status) -> JSON:
    return {
        "id": item.id,
        "node_id": node("Status", item.id),
        "url": f"{call.api}/repos/{repo.full_name}/statuses/{item.sha}",
        "avatar_url": f"{call.origin}/avatars/{item.creator.id}",
        "state": item.state,
        "context": item.context,
        "description": item.description,
        "target_url": item.target_url,
        "created_at": item.created_at,
        "updated_at": item.created_at,
        "creator": user(call, item.creator),
    }


def app(call: Call, item: App) -> JSON:
    return {
        "id": item.id,
        "slug": item.slug,
        "node_id": node("App", item.id),
        "owner": user(call, item.owner),
        "name": item.slug,
        "description": None,
        "external_url": f"{call.origin}/apps/{item.slug}",
        "html_url": f"{call.origin}/apps/{item.slug}",
        "created_at": "2020-01-01T00:00:00Z",
        "updated_at": "2020-01-01T00:00:00Z",
        "permissions": item.permissions,
        "events": [],
    }


def installation(call: Call, item: Installation) -> JSON:
    url = f"{call.api}/app/installations/{item.id}"
    return {
        "id": item.id,
        "account": user(call, item.account),
        "access_tokens_url": f"{url}/access_tokens",
        "repositories_url": f"{call.api}/installation/repositories",
        "html_url": f"{call.origin}/settings/installations/{item.id}",
        "app_id": item.app.id,
        "app_slug": item.app.slug,
        "target_id": item.account.id,
        "target_type": item.account.type,
        "permissions": item.permissions,
        "events": [],
        "repository_selection": "all" if item.repositories is None else "selected",
        "single_file_name": None,
        "created_at": item.created_at,
        "updated_at": item.created_at,
        "suspended_by": None,
        "suspended_at": None,
    }
