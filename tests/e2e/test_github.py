"""`refit run` on GitHub, through PyGithub, against a server over real git repositories."""

from __future__ import annotations

import pytest
from github import Auth, Github

from bot import process
from tests.e2e.on_github import DOCKERFILE, TOKEN, run, set_up
from tests.e2e.world import World
from tests.github_server.server import GitHubServer

pytestmark = pytest.mark.lab


def branches(github: GitHubServer) -> list[str]:
    folder = github.repository("acme/shop").git.path
    listed = process.run(
        ["git", f"--git-dir={folder}", "for-each-ref", "--format=%(refname:short)", "refs/heads/refit/"],
        timeout=30,
    )
    return listed.text.split()


def test_an_update_becomes_one_pull_request_with_its_evidence(world: World, github: GitHubServer) -> None:
    base = set_up(world, github)

    ended = run(world)

    assert ended.code == 0, ended.err
    (update,) = ended.document["updates"]
    assert update["publication"]["kind"] == "pull-request"
    assert update["publication"]["url"].endswith("/acme/shop/pull/1")
    (branch,) = branches(github)
    before = DOCKERFILE.format(base=base.pinned).encode()
    assert github.read("acme/shop", "Dockerfile", branch) == before.replace(
        base.stale.encode(), base.fresh.encode()
    )
    assert TOKEN not in ended.err + ended.out


def test_a_second_run_writes_nothing(world: World, github: GitHubServer) -> None:
    set_up(world, github)
    run(world)
    writes = len(github.writes())

    ended = run(world)

    assert ended.document["requests"] == {"HEAD": 1, "GET": 0}
    assert len(github.writes()) == writes


def test_evidence_only_speaks_on_the_pull_request_of_somebody_elses_bot(
    world: World, github: GitHubServer
) -> None:
    base = set_up(world, github)
    text = DOCKERFILE.format(base=base.pinned).replace(base.stale, base.fresh)
    github.commit("acme/shop", {"Dockerfile": text}, branch="renovate/base", author="renovate")
    github.create_token("renovate", "ghp_renovate")
    github.repository("acme/shop").roles["renovate"] = "write"
    robot = Github(auth=Auth.Token("ghp_renovate"), base_url=github.api, seconds_between_writes=0)
    robot.get_repo("acme/shop").create_pull("main", "renovate/base", title="Update the base")
    robot.close()

    ended = world.run("--evidence-only", env=world.environment(REFIT_TEST_TOKEN=TOKEN))

    assert ended.code == 0, ended.err
    (update,) = ended.document["updates"]
    assert update["level"] == "health"
    assert update["publication"] == {"kind": "evidence", "url": f"{github.origin}/acme/shop/pull/1"}
    assert branches(github) == []
    (comment,) = github.repository("acme/shop").comments.values()
    assert "**PASS**" in comment.body
    assert [one.state for one in github.repository("acme/shop").statuses] == ["success"]


def test_a_502_after_the_pull_request_was_made_leaves_one(world: World, github: GitHubServer) -> None:
    set_up(world, github)
    github.fail_next("POST", r"/repos/acme/shop/pulls$", status=502, after_effect=True)

    ended = run(world)

    assert ended.code == 0, ended.err
    made = [e for e in github.exchanges if e.method == "POST" and e.path.endswith("/pulls")]
    assert len(made) == 1
    assert ended.document["updates"][0]["publication"]["url"].endswith("/pull/1")


def test_a_github_that_is_down_costs_the_publication_and_not_the_proof(
    world: World, github: GitHubServer
) -> None:
    set_up(world, github)
    github.fail_next("POST", r"/git/(trees|commits|refs|blobs)", status=502, times=3)

    ended = run(world)

    assert ended.code == 3
    (update,) = ended.document["updates"]
    assert update["publication"] is None
    assert update["level"] == "health"
    assert "not published" in ended.document["failed"][0]["error"]

    again = run(world)

    assert again.code == 0, again.err
    assert again.document["updates"][0]["publication"]["url"].endswith("/pull/1")


def test_a_wrong_token_is_said_with_what_to_do(world: World, github: GitHubServer) -> None:
    set_up(world, github)

    ended = world.run(env=world.environment(REFIT_TEST_TOKEN="ghp_wrong"))

    assert ended.code == 4
    assert ended.document["failed"][0]["target"] == "acme/shop"
    assert ended.document["failed"][0]["hint"]
    assert "ghp_wrong" not in ended.out + ended.err
