"""A comment on GitHub leads to a real rescan by the real process, and to one answer."""

from __future__ import annotations

import hashlib
import hmac
import json

import httpx2 as httpx
import pytest

from tests.e2e.machines import NEVER
from tests.e2e.on_github import TOKEN, run, set_up
from tests.e2e.serving import Served, serving, wait_until
from tests.e2e.world import World
from tests.github_server.server import GitHubServer
from tests.github_server.state import Comment

pytestmark = pytest.mark.lab

SECRET = b"a-secret-that-is-long-enough"


def deliver(served: Served, comment: Comment) -> int:
    body = {
        "action": "created",
        "comment": {"id": comment.id, "body": comment.body, "user": {"login": comment.user.login}},
        "issue": {"number": comment.issue, "user": {"login": "refit"}},
        "repository": {"full_name": "acme/shop"},
        "sender": {"login": comment.user.login},
    }
    data = json.dumps(body).encode()
    headers = {
        "x-github-event": "issue_comment",
        "x-github-delivery": f"delivery-{comment.id}",
        "x-hub-signature-256": f"sha256={hmac.new(SECRET, data, hashlib.sha256).hexdigest()}",
    }
    return httpx.post(f"{served.url}/github/webhooks", content=data, headers=headers, timeout=30).status_code


def test_a_comment_on_our_pull_request_is_answered_with_what_its_image_has(
    world: World, github: GitHubServer
) -> None:
    set_up(world, github)
    repo = github.repository("acme/shop")
    repo.roles["alice"] = "write"
    assert run(world).code == 0
    (world.folder / "webhook").write_bytes(SECRET)
    (world.folder / "token").write_text(TOKEN)
    world.settings["github"] |= {"token": {"file": str(world.folder / "token")}}
    world.settings |= {
        "schedule": NEVER,
        "comments": {"secrets": [{"file": str(world.folder / "webhook")}]},
    }
    with serving(world) as served:
        comment = Comment(77, 1, github.world.account("alice"), "/refit rescan")
        repo.comments[77] = comment
        assert deliver(served, comment) == 202
        wait_until(lambda: len(repo.comments) == 2, what=served.text)

    (answer,) = [one.body for one in repo.comments.values() if one.id != 77]
    head = repo.issues[1].pull
    assert head is not None
    assert [one.content for one in comment.reactions] == ["eyes"]
    assert f"built from `{head.head_sha[:12]}`" in answer or f"built from {head.head_sha[:12]}" in answer
    assert "asked by alice" in answer
