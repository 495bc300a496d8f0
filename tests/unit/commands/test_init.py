"""`refit init`: what it writes can be checked, loaded and run."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.settings import ForgeKind, load
from tests.github_server.fixtures import github
from tests.github_server.server import GitHubServer
from tests.unit.commands.conftest import Answer, Refit

__all__ = ["github"]

Write = Callable[[str, str], Path]
FILE = Path("refit.yaml")


def git(*words: str) -> None:
    subprocess.run(["git", *words], check=True, capture_output=True)


def written(refit: Refit) -> Answer:
    """What `refit init` said; what it wrote passes `refit config check`."""
    answer = refit("init")
    assert answer.code == 0, answer.err
    assert "Wrote refit.yaml." in answer.out
    assert refit("config", "check").code == 0
    return answer


def test_an_empty_folder_becomes_a_local_project_and_is_told_to_become_a_checkout(refit: Refit) -> None:
    answer = written(refit)

    (project,) = load(FILE).projects
    assert (project.name, project.forge, project.targets) == ("here", ForgeKind.LOCAL, ())
    assert "git init" in answer.out


TREES = {
    "one": (["Dockerfile"], {"here": "Dockerfile"}),
    "variants": (["Dockerfile", "Dockerfile.dev"], {"here": "Dockerfile", "here-dev": "Dockerfile.dev"}),
    "same folder name": (
        ["a/app/Dockerfile", "b/app/Dockerfile"],
        {"app": "a/app/Dockerfile", "b-app": "b/app/Dockerfile"},
    ),
    "same even by path": (
        ["a/b/Dockerfile", "a-b/Dockerfile", "c/a-b/Dockerfile", "c-a/b/Dockerfile"],
        {
            "a-b": "a-b/Dockerfile",
            "b": "a/b/Dockerfile",
            "c-a-b": "c-a/b/Dockerfile",
            "c-a-b-2": "c/a-b/Dockerfile",
        },
    ),
    "what YAML would misread": (
        ["no/Dockerfile", "12/Dockerfile", "x: y #z/Dockerfile", "-/Dockerfile"],
        {
            "target": "-/Dockerfile",
            "12": "12/Dockerfile",
            "no": "no/Dockerfile",
            "x-y-z": "x: y #z/Dockerfile",
        },
    ),
}


@pytest.mark.parametrize(("files", "targets"), TREES.values(), ids=TREES.keys())
def test_each_dockerfile_becomes_a_target_with_a_name_of_its_own(
    refit: Refit, write: Write, files: list[str], targets: dict[str, str]
) -> None:
    for file in files:
        write(file, "FROM debian:12\n")

    written(refit)

    (project,) = load(FILE).projects
    assert {target.name: target.dockerfile for target in project.targets} == targets
    assert {target.context for target in project.targets} == {str(Path(file).parent) for file in files}


REMOTES = {
    "https": ("https://github.com/acme/shop.git", "acme/shop"),
    "https with a name": ("https://me@github.com/acme/shop", "acme/shop"),
    "ssh, short": ("git@github.com:acme/my.shop.git", "acme/my.shop"),
    "ssh": ("ssh://git@github.com/acme/shop.git", "acme/shop"),
    "ssh with a port": ("ssh://git@github.com:22/acme/shop", "acme/shop"),
    "another host": ("https://gitlab.example/acme/shop.git", None),
    "a host that only ends alike": ("https://notgithub.com/acme/shop.git", None),
    "a path": ("../github.com/acme/shop.git", None),
}


@pytest.mark.parametrize(("remote", "name"), REMOTES.values(), ids=REMOTES.keys())
def test_a_github_remote_becomes_a_project_on_github(refit: Refit, remote: str, name: str | None) -> None:
    git("init", "-q", ".")
    git("remote", "add", "origin", remote)

    written(refit)

    (project,) = load(FILE).projects
    assert (project.name, project.forge) == ((name, ForgeKind.GITHUB) if name else ("here", ForgeKind.LOCAL))


def test_without_its_token_a_run_on_github_says_which_variable_to_set(
    refit: Refit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    git("init", "-q", ".")
    git("remote", "add", "origin", "https://github.com/acme/shop.git")
    written(refit)

    answer = refit("run", "--dry-run")

    assert answer.code == 2
    assert "GITHUB_TOKEN is not set" in answer.err


def test_what_init_wrote_for_github_runs(
    refit: Refit, github: GitHubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    github.create_repository("acme/shop", {"Dockerfile": "FROM scratch\n"}, roles={"refit": "write"})
    github.create_token(login="refit", value="ghp_good")
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_good")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    git("init", "-q", ".")
    git("remote", "add", "origin", "git@github.com:acme/shop.git")
    written(refit)
    FILE.write_text(FILE.read_text().replace("github:\n", f"github:\n  url: {github.api}\n"))

    answer = refit("run", "--dry-run", "--format", "json")

    assert answer.code == 0, answer.err
    assert [one["reference"] for one in answer.document["skipped"]] == ["scratch"]


def test_what_init_wrote_runs(refit: Refit, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    write("Dockerfile", "FROM scratch\n")
    git("init", "-q", "-b", "main", ".")
    git("add", "-A")
    git("-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "-q", "-m", "First")
    written(refit)

    answer = refit("run", "--dry-run", "--format", "json")

    assert answer.code == 0, answer.err
    assert [one["reference"] for one in answer.document["skipped"]] == ["scratch"]


def test_a_configuration_that_is_there_is_never_changed(refit: Refit) -> None:
    FILE.write_text("timezone: UTC\n")

    answer = refit("init")

    assert answer.code == 2
    assert "refit.yaml is there already" in answer.err
    assert FILE.read_text() == "timezone: UTC\n"


def test_a_folder_that_cannot_be_written_is_told(refit: Refit) -> None:
    answer = refit("init", "--folder", "nowhere")

    assert answer.code == 2
    assert "cannot write nowhere/refit.yaml" in answer.err
