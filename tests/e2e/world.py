"""A world for one end-to-end test: a project, a moving base of its own, and the real `refit` process."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import docker

from bot import process
from deploy.lab import Lab, archive

ROOT: Final = Path(__file__).parents[2]
DEBIAN: Final = "library/debian:bookworm-slim"
_IDENTITY: Final = {
    "GIT_AUTHOR_NAME": "A person",
    "GIT_AUTHOR_EMAIL": "person@example.com",
    "GIT_COMMITTER_NAME": "A person",
    "GIT_COMMITTER_EMAIL": "person@example.com",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
}


@dataclass(frozen=True, slots=True)
class Ended:
    """A `refit` process that ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Standard output as the one JSON document it should be."""
        loaded: dict[str, Any] = json.loads(self.out)
        return loaded


@dataclass(frozen=True, slots=True)
class Base:
    """A Debian base in a repository of this test's own, whose tag can move.

    Attributes:
        name: `HOST:PORT/repository`.
        stale: Digest the tag names first.
        fresh: Digest it moves to.
    """

    lab: Lab
    repository: str
    stale: str
    fresh: str

    @property
    def name(self) -> str:
        """The image as a Dockerfile names it, without its digest."""
        return f"{self.lab.registry}/{self.repository}:bookworm-slim"

    @property
    def pinned(self) -> str:
        """The stale image as a Dockerfile pins it."""
        return f"{self.name}@{self.stale}"

    def move(self) -> None:
        """Let the tag name the fresh image."""
        self.lab.move(self.repository, "bookworm-slim", self.fresh)


@dataclass
class World:
    """One test's projects, state and configuration.

    Attributes:
        lab: The real parts.
        folder: Where everything of this test is.
        settings: More sections of the configuration.
    """

    lab: Lab
    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)
    projects: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """What an earlier test left is not this one's."""
        self._before = ours(self.lab.docker_host)

    @property
    def state(self) -> Path:
        """The state folder."""
        return self.folder / "state"

    def base(self) -> Base:
        """A Debian base that only this test moves; its tag names the stale image."""
        repository = f"e2e/{uuid.uuid4().hex[:12]}/debian"
        stale, fresh = self.lab.stale[DEBIAN], self.lab.fresh[DEBIAN]
        for digest in (fresh, stale):
            self.lab.copy("library/debian", digest, repository, "bookworm-slim")
        return Base(self.lab, repository, stale, fresh)

    def project(self, files: Mapping[str, str], *, name: str = "shop", **settings: Any) -> Path:
        """A git repository with one commit, under care on the local forge."""
        path = self.folder / name
        for file, text in files.items():
            (path / file).parent.mkdir(parents=True, exist_ok=True)
            (path / file).write_text(text, encoding="utf-8")
        self.git(path, "init", "-q", "-b", "main")
        self.commit(path, "First")
        self.projects.append({"name": name, "forge": "local", "path": str(path), **settings})
        return path

    def commit(self, path: Path, message: str) -> None:
        """Commit everything in a project's work tree, as a person would."""
        self.git(path, "add", "-A")
        self.git(path, "commit", "-q", "-m", message)

    def git(self, path: Path, *words: str) -> str:
        """Run git in a project."""
        env = process.environment(**_IDENTITY)
        return process.run(["git", "-C", path, *words], timeout=60, env=env).text

    def config(self) -> Path:
        """Write the configuration and return its path."""
        file = self.folder / "refit.yaml"
        settings = {
            "state": str(self.state),
            "projects": self.projects,
            "rules": [{"minimum_age": "0 s"}],
            "builder": {"docker_host": self.lab.docker_host, "reachable": archive.addresses()},
            "scanner": {"database_folder": str(self.lab.trivy_cache), "offline": True},
        } | self.settings
        file.write_text(json.dumps(settings), encoding="utf-8")
        return file

    def command(self, *words: str) -> list[str]:
        """The argument list of a `refit` process with this world's configuration."""
        return [sys.executable, "-m", "bot.cli", *words, "--config", str(self.config())]

    def environment(self, **extra: str) -> dict[str, str]:
        """The environment of a `refit` process."""
        return process.environment(PYTHONPATH=str(ROOT), HOME=str(self.folder), **extra)

    def refit(self, *words: str, env: Mapping[str, str] | None = None) -> Ended:
        """Run a `refit` process to its end."""
        finished = process.run(
            self.command(*words),
            timeout=800,
            cwd=self.folder,
            env=env or self.environment(),
            check=False,
        )
        return Ended(finished.code, finished.text, finished.stderr.decode(errors="replace"))

    def run(self, *words: str, env: Mapping[str, str] | None = None) -> Ended:
        """Run the cycle and return its JSON document."""
        return self.refit("run", "--format", "json", *words, env=env)

    def branches(self, path: Path) -> Sequence[str]:
        """Refit's branches of a project."""
        listed = self.git(path, "for-each-ref", "--format=%(refname:short)", "refs/heads/refit/")
        return listed.split()

    def leftovers(self) -> list[str]:
        """What this test's processes left in the engine, and temporary files.

        The names that are kept of what was cut off hold nothing.
        """
        files = [str(file) for file in (self.state / "work").glob("*") if file.suffix != ".cut-off"]
        return sorted(ours(self.lab.docker_host) - self._before) + files

    def pages(self) -> list[Path]:
        """The pull requests of the local forge."""
        return sorted((self.state / "pull-requests").rglob("*.md"))


def ours(host: str) -> frozenset[str]:
    """Containers, networks and images of ours in an engine, and images with no name.

    What was pulled by its digest has no tag either, but a name: that is a base, and not ours.
    """
    with closing(docker.APIClient(base_url=host)) as engine:
        images = engine.images()
        names = [name.removeprefix("/") for one in engine.containers(all=True) for name in one["Names"]]
        names += [one["Name"] for one in engine.networks()]
        names += [name for one in images for name in one["RepoTags"] or ()]
        named = {one["Id"] for one in images if _names(one["RepoTags"]) or _names(one["RepoDigests"])}
    nameless = {f"nameless image {one['Id']}" for one in images if one["Id"] not in named}
    return frozenset(name for name in names if name.startswith("refit-")) | nameless


def _names(listed: list[str] | None) -> bool:
    """Whether there is a name; where there is none, old engines list one that says so."""
    return any(not name.startswith("<none>") for name in listed or ())
