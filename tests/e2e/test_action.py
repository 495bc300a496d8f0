"""The example workflow and the action, carried out from their own files: two runs with no server."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot import process
from tests.actions import standins
from tests.actions.runner import Job, job_of
from tests.e2e.world import ROOT, World
from tests.github_server.server import GitHubServer

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(900)]

ACTION = ROOT / "deploy" / "action"
EXAMPLE = ACTION / "workflow.example.yml"
MANIFEST = ROOT / "deploy" / "github-app" / "manifest.json"
SHOP = "acme/shop"
JOBS_OWN = "ghs_the_jobs_own"
MONTHLY = {"event_name": "schedule", "event": {"schedule": "17 4 1 * *"}}
BY_HAND = {"event_name": "workflow_dispatch", "event": {}}


def private_key() -> tuple[str, str]:
    """A key pair of an App, as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


class Repository:
    """A repository with the example as its workflow, an App installed, and a base that has moved."""

    def __init__(self, world: World, github: GitHubServer) -> None:
        self.world, self.github = world, github
        base = world.base()
        files = {
            "Dockerfile": f"FROM {base.pinned}\nHEALTHCHECK CMD true\nCMD sleep 600\n",
            ".github/workflows/refit.yml": EXAMPLE.read_text(encoding="utf-8"),
            ".github/refit-bot.yaml": json.dumps(self.configuration()),
        }
        github.create_repository(SHOP, files, roles={"github-actions[bot]": "write"})
        base.move()
        self.key, public = private_key()
        self.app = github.create_app("refit", public, json.loads(MANIFEST.read_text())["default_permissions"])
        github.install(self.app, "acme", {"shop"})
        github.create_token(
            login="github-actions[bot]", value=JOBS_OWN, permissions=job_of(EXAMPLE)["permissions"]
        )

    def configuration(self) -> dict[str, object]:
        """What stands in the repository; the lab's registry, scanner and engine in place of the world's."""
        return {
            "projects": [{"name": SHOP}],
            "rules": [{"minimum_age": "0 s"}],
            "github": {
                "url": self.github.api,
                "token": {"env": "GITHUB_TOKEN"},
                "seconds_between_writes": 0,
            },
            "scanner": {"database_folder": str(self.world.lab.trivy_cache), "offline": True},
        }

    def run(self, event: Mapping[str, object], number: int) -> Job:
        """One run of the workflow on a fresh machine."""
        workspace, temp = (self.world.folder / f"{name}-{number}" for name in ("work", "temp"))
        for folder in (workspace, temp):
            folder.mkdir()
        github = {
            "repository": SHOP,
            "token": JOBS_OWN,
            "api_url": self.github.api,
            "server_url": self.github.origin,
            **event,
        }
        job = Job(
            workspace,
            temp,
            contexts={
                "github": github,
                "runner": {"temp": str(temp)},
                "vars": {"REFIT_APP_CLIENT_ID": str(self.app.id)},
                "secrets": {"REFIT_APP_KEY": self.key},
            },
            env=standins.machine(temp)
            | {
                "CI": "true",
                "RUNNER_TEMP": str(temp),
                "GITHUB_WORKSPACE": str(workspace),
                "GITHUB_REPOSITORY": SHOP,
                "GITHUB_API_URL": self.github.api,
                "GITHUB_SERVER_URL": self.github.origin,
                "DOCKER_HOST": self.world.lab.docker_host,
            },
            actions={
                "actions/checkout": standins.checkout,
                "actions/create-github-app-token": standins.create_github_app_token,
                "refit-bot/refit/deploy/action": ACTION,
            },
        )
        job.run(job_of(EXAMPLE)["steps"])
        return job

    def git(self, *words: str) -> str:
        """Run git in the repository as GitHub holds it."""
        folder = self.github.folder / f"{SHOP}.git"
        return process.run(["git", "-C", folder, *words], timeout=60).text


def test_the_example_workflow_opens_a_pull_request_and_remembers_it_without_a_server(
    world: World, github: GitHubServer
) -> None:
    shop = Repository(world, github)

    first = shop.run(MONTHLY, 1)
    second = shop.run(BY_HAND, 2)

    told = "\n".join(f"── {step.name}: {step.outcome}\n{step.printed}" for step in first.steps + second.steps)
    assert {step.outcome for step in first.steps + second.steps} == {"success"}, told
    ((request, pull),) = github.repository(SHOP).pulls()
    assert "level: build + health" in (request.body or "")
    assert request.user.login == "refit[bot]"
    assert "no state yet" in printed(first, "Fetch the state")
    assert "no state yet" not in printed(second, "Fetch the state")
    assert "proved before, nothing to do again" in printed(second, "Run"), told
    assert "failed with 403" not in told
    assert shop.git("rev-list", "--count", "refit-state").strip() == "1"
    kept_alive = [one for one in github.exchanges if one.path.endswith("/workflows/refit.yml/enable")]
    assert [(one.method, one.status) for one in kept_alive] == [("PUT", 204)] * 2
    assert shop.key not in told
    assert pull.head.startswith("refit/")


def printed(job: Job, name: str) -> str:
    """What one step printed."""
    (found,) = [step.printed for step in job.steps if step.name == name]
    return found
