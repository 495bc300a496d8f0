"""A project on the GitHub server of the tests, and a token for it."""

from __future__ import annotations

from tests.e2e.world import Base, Ended, World
from tests.github_server.server import GitHubServer

TOKEN = "ghp_refit_e2e"
DOCKERFILE = "FROM {base}\nHEALTHCHECK CMD true\nCMD sleep 600\n"


def set_up(world: World, github: GitHubServer) -> Base:
    base = world.base()
    files = {"Dockerfile": DOCKERFILE.format(base=base.pinned), "README.md": "The shop.\n"}
    github.create_repository("acme/shop", files, roles={"refit": "write"})
    github.create_token(login="refit", value=TOKEN)
    world.settings["github"] = {
        "url": github.api,
        "token": {"env": "REFIT_TEST_TOKEN"},
        "seconds_between_writes": 0,
    }
    world.projects.append({"name": "acme/shop", "targets": [{"name": "shop"}]})
    base.move()
    return base


def run(world: World) -> Ended:
    return world.run(env=world.environment(REFIT_TEST_TOKEN=TOKEN))
