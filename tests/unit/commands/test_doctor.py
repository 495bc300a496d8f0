"""`refit doctor`: what was looked at, how it is, what to do."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.lab.ports import free_port
from tests.github_server.fixtures import github
from tests.github_server.server import GitHubServer
from tests.unit.commands.conftest import Answer, Refit

__all__ = ["github"]


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No engine answers, wherever the tests run."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")


def configured(refit: Refit, **settings: Any) -> Answer:
    Path("refit.yaml").write_text(json.dumps(settings))
    return refit("doctor")


def lines(answer: Answer) -> dict[str, tuple[str, str]]:
    """What was looked at, with its mark and all that is told about it."""
    found: dict[str, tuple[str, str]] = {}
    name = ""
    for line in answer.out.splitlines():
        if line[:1] in "✓!✗" and line[:1]:
            name = line[2:15].strip()
            found[name] = (line[0], line[17:].strip())
        elif line.startswith(" "):
            found[name] = (found[name][0], f"{found[name][1]} {line.strip()}".strip())
    return found


def database(folder: Path, days: int) -> Path:
    """A folder with the metadata of a database of this age."""
    (folder / "db").mkdir(parents=True)
    made = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    (folder / "db" / "metadata.json").write_text(json.dumps({"Version": 2, "UpdatedAt": made}))
    return folder


def test_without_a_configuration_the_defaults_are_checked(refit: Refit) -> None:
    answer = refit("doctor")

    found = lines(answer)
    assert list(found) == [
        "configuration",
        "state folder",
        "free disk",
        "git",
        "engine",
        "build network",
        "trivy",
        "database",
        "artifacts",
    ]
    assert found["configuration"][1].startswith("none here: the defaults were checked")
    assert found["git"][0] == "✓"
    assert found["trivy"][0] == "✓"
    assert found["trivy"][1].startswith("trivy 0.")


def test_a_configuration_without_a_project_is_a_warning(refit: Refit) -> None:
    mark, told = lines(configured(refit, projects=[]))["configuration"]
    assert mark == "!"
    assert "names no project" in told


def test_a_missing_engine_is_a_warning_for_evidence_stays_at_level_base(refit: Refit) -> None:
    answer = refit("doctor")

    mark, told = lines(answer)["engine"]
    assert mark == "!"
    assert "Install Docker Engine" in told
    assert "evidence stays at level base" in told
    assert answer.code == 0
    assert answer.out.splitlines()[-1].startswith("Ready for a run, ")


def test_builds_that_may_reach_private_addresses_are_a_warning_with_what_to_set(refit: Refit) -> None:
    mark, told = lines(configured(refit, builder={"closed_network": False}))["build network"]
    assert mark == "!"
    assert "builds can reach private and link-local addresses, as configured" in told
    assert "builder.closed_network: auto" in told


def test_without_an_engine_there_is_no_network_to_close(refit: Refit) -> None:
    assert lines(refit("doctor"))["build network"] == ("✓", "nothing is built without an engine")


def test_an_engine_that_is_switched_off_is_no_concern(refit: Refit) -> None:
    answer = configured(refit, builder={"enabled": False})

    assert lines(answer)["engine"][0] == "✓"


OFFLINE = {"offline": True}
DATABASES = {
    "young": (2, {}, "✓", "2 days old", 0),
    "old": (9, {}, "!", "The next run downloads a newer one.", 0),
    "old and offline": (9, OFFLINE, "✗", "Copy a newer db/ folder there", 3),
    "none": (None, {}, "!", "The first run downloads it.", 0),
    "none and offline": (None, OFFLINE, "✗", "there is no vulnerability database", 3),
}


@pytest.mark.parametrize("case", DATABASES.values(), ids=DATABASES.keys())
def test_the_age_of_the_database_is_looked_at_and_nothing_is_downloaded(
    refit: Refit, tmp_path: Path, case: tuple[int | None, dict[str, Any], str, str, int]
) -> None:
    days, more, mark, told, code = case
    folder = tmp_path / "cache" if days is None else database(tmp_path / "cache", days)

    answer = configured(refit, scanner={"database_folder": str(folder), **more})

    assert lines(answer)["database"][0] == mark
    assert told in lines(answer)["database"][1]
    assert answer.code == code
    assert not (folder / "db" / "trivy.db").exists()


@pytest.mark.parametrize("version", ["0.69.4", "0.69.5", "0.69.6"])
def test_a_hijacked_trivy_is_refused(refit: Refit, tmp_path: Path, version: str) -> None:
    binary = tmp_path / "trivy"
    binary.write_bytes(f"\x7fELF -X github.com/aquasecurity/trivy/pkg/version/app.ver={version} ".encode())
    binary.chmod(binary.stat().st_mode | stat.S_IXUSR)

    answer = configured(refit, scanner={"path": str(binary)})

    mark, told = lines(answer)["trivy"]
    assert answer.code == 3
    assert mark == "✗"
    assert f"is Trivy {version}, a hijacked release" in told
    assert "CVE-2026-33634" in told
    assert answer.out.splitlines()[-1].startswith("1 problem in the way of a run.")


def test_a_state_folder_that_cannot_be_used_is_in_the_way(refit: Refit, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    answer = configured(refit, state=str(tmp_path / "file" / "state"))

    mark, told = lines(answer)["state folder"]
    assert (answer.code, mark) == (3, "✗")
    assert "cannot be used: Not a directory" in told
    assert "$REFIT_STATE_DIR" in told


def test_a_local_project_must_be_a_checkout(refit: Refit) -> None:
    answer = configured(refit, projects=[{"name": "shop", "forge": "local", "path": "."}])

    mark, told = lines(answer)["shop"]
    assert (answer.code, mark) == (3, "✗")
    assert "is not the top folder of a git repository" in told
    assert "git init" in told


def test_a_wrong_configuration_is_a_usage_error(refit: Refit) -> None:
    answer = configured(refit, projectss=[])

    assert answer.code == 2
    assert "did you mean `projects`?" in answer.err


@pytest.fixture
def token(github: GitHubServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """A token that GitHub knows, where the configuration looks for it."""
    monkeypatch.setenv("REFIT_TEST_TOKEN", "ghp_good")
    return github.create_token(login="refit", value="ghp_good")


def on_github(refit: Refit, server: GitHubServer, *names: str, **more: object) -> Answer:
    return configured(
        refit,
        projects=[{"name": name} for name in names or ["acme/shop"]],
        github={"url": server.api, "token": {"env": "REFIT_TEST_TOKEN"}},
        **more,
    )


def test_on_github_the_login_and_each_project_are_shown(
    refit: Refit, github: GitHubServer, token: str
) -> None:
    github.create_repository("acme/shop", {"README.md": "x"}, roles={"refit": "write"})

    answer = on_github(refit, github)

    assert answer.code == 0, answer.out
    assert lines(answer)["github"] == ("✓", f"{github.api} as refit")
    assert lines(answer)["acme/shop"] == ("✓", "may be written, default branch main")
    assert token not in answer.out + answer.err


@pytest.mark.usefixtures("token")
def test_of_a_glob_is_shown_what_it_stands_for(refit: Refit, github: GitHubServer) -> None:
    for name in ("acme/shop", "acme/web"):
        github.create_repository(name, {"README.md": "x"}, roles={"refit": "write"})

    answer = on_github(refit, github, "acme/*", "acme/no-*")

    assert lines(answer)["acme/*"] == ("✓", "2 projects: acme/shop, acme/web")
    mark, told = lines(answer)["acme/no-*"]
    assert (mark, told.partition(".")[0]) == (
        "!",
        "stands for no project Check the owner, the topics, and what the token may see",
    )


@pytest.mark.usefixtures("token")
def test_a_token_that_may_only_read_is_in_the_way(refit: Refit, github: GitHubServer) -> None:
    github.create_repository("acme/shop", {"README.md": "x"}, roles={"refit": "read"})

    answer = on_github(refit, github)

    assert answer.code == 3
    assert lines(answer)["acme/shop"][0] == "✗"
    assert "may read acme/shop, and not write" in lines(answer)["acme/shop"][1]


@pytest.mark.usefixtures("token")
def test_a_token_that_may_only_read_is_enough_where_others_publish(
    refit: Refit, github: GitHubServer
) -> None:
    github.create_repository("acme/shop", {"README.md": "x"}, roles={"refit": "read"})

    answer = on_github(
        refit,
        github,
        store=f"postgresql://refit@127.0.0.1:{free_port()}/refit",
        workers={"serve": ["prove"]},
    )

    mark, told = lines(answer)["acme/shop"]
    assert (mark, told) == ("✓", "may be read, which is enough where others publish, default branch main")


def test_a_token_that_github_does_not_know_is_in_the_way(
    refit: Refit, github: GitHubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    github.create_repository("acme/shop", {"README.md": "x"})
    monkeypatch.setenv("REFIT_TEST_TOKEN", "ghp_unknown")

    answer = on_github(refit, github)

    assert answer.code == 3
    assert lines(answer)["github"][0] == "✗"
    assert "make a new one" in lines(answer)["github"][1]


def test_a_token_that_is_not_there_is_in_the_way(
    refit: Refit, github: GitHubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REFIT_TEST_TOKEN", raising=False)

    answer = on_github(refit, github)

    assert answer.code == 3
    assert "REFIT_TEST_TOKEN is not set" in lines(answer)["github"][1]


def test_artifacts_on_one_machine_of_many_are_a_warning(refit: Refit) -> None:
    answer = configured(refit, store="postgresql://refit@127.0.0.1:1/refit")

    mark, told = lines(answer)["artifacts"]
    assert mark == "!"
    assert "on this machine alone" in told
    assert "s3://bucket/refit" in told


def test_a_place_for_artifacts_that_cannot_be_had_is_a_problem_with_its_way_out(refit: Refit) -> None:
    answer = configured(refit, artifacts={"location": "gs://bucket/refit"})

    mark, told = lines(answer)["artifacts"]
    assert (mark, answer.code) == ("✗", 3)
    assert "gs://bucket/refit: what speaks gs is not installed" in told
