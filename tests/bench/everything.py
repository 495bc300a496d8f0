"""A bot with everything configured that can be: all chats, GitHub both ways, notifications; on real parts."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from deploy.lab import Lab
from tests.e2e.world import ROOT, World
from tests.fakes.slack_server import SECRET, SlackServer
from tests.github_server import contract
from tests.github_server.server import GitHubServer
from tests.postgresql import cluster
from tests.synapse import Synapse, running

TOKEN: Final = "ghp_refit_bench"
_DOCKERFILE: Final = "FROM {base}\nHEALTHCHECK CMD true\nCMD sleep 600\n"


@dataclass(frozen=True, slots=True)
class Everything:
    """A world with a project on GitHub whose base has moved, and people in Slack and Matrix.

    Attributes:
        world: Its configuration and its processes.
        slack: What is written there.
    """

    world: World
    slack: SlackServer


@contextmanager
def everything() -> Iterator[Everything]:
    """All of it, for as long as it is needed."""
    lab_folder = Path(os.environ.get("REFIT_LAB_DIR", ROOT / ".lab"))
    with ExitStack() as stack:
        lab = stack.enter_context(Lab.start(lab_folder, say=lambda _: None))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        world = World(lab, folder)
        github = stack.enter_context(GitHubServer(folder / "github", contract.fetched()))
        slack = stack.enter_context(SlackServer())
        (folder / "synapse").mkdir()
        synapse = stack.enter_context(running(folder / "synapse"))
        _project(world, github)
        world.settings |= {
            "slack": _slack(world, slack),
            "matrix": _matrix(world, synapse),
            "comments": {"secrets": [_secret(world, "webhook", SECRET)], "poll": "60 s"},
            "notifications": {"to": [_secret(world, "notify", "json://127.0.0.1:9")]},
            "artifacts": {"link": "https://refit.example.com/artifacts/{digest}"},
        }
        yield Everything(world, slack)


@contextmanager
def on_postgresql(world: World) -> Iterator[None]:
    """The same world, its store and queue on a PostgreSQL of its own."""
    with cluster() as server:
        url = urlsplit(server.database())
        world.settings["store"] = url._replace(netloc=f"refit@127.0.0.1:{server.port}").geturl()
        world.settings["store_password"] = _secret(world, "store", server.password)
        yield
        del world.settings["store"], world.settings["store_password"]


def _project(world: World, github: GitHubServer) -> None:
    base = world.base()
    files = {"Dockerfile": _DOCKERFILE.format(base=base.pinned)}
    github.create_repository("acme/shop", files, roles={"refit": "write"})
    github.create_token(login="refit", value=TOKEN)
    world.projects.append({"name": "acme/shop"})
    world.settings["github"] = {"url": github.api, "token": _secret(world, "github-token", TOKEN)}
    base.move()


def _slack(world: World, slack: SlackServer) -> dict[str, Any]:
    return {
        "bot_token": _secret(world, "bot", "xoxb-made-up"),
        "app_token": _secret(world, "app", "xapp-made-up"),
        "signing_secret": _secret(world, "signing", SECRET),
        "users": ["U1"],
        "channels": ["C1"],
        "url": slack.url,
    }


def _matrix(world: World, synapse: Synapse) -> dict[str, Any]:
    alice, bot = synapse.register("alice"), synapse.register("refit")
    return {
        "homeserver": synapse.url,
        "user": bot.user,
        "access_token": _secret(world, "matrix", bot.token),
        "users": [alice.user],
        "rooms": [alice.room(bot.user)],
    }


def _secret(world: World, name: str, text: str) -> dict[str, str]:
    file = world.folder / f"secret-{name}"
    file.write_text(text, encoding="utf-8")
    return {"file": str(file)}
