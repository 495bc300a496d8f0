"""What people deploy with: our audit passes it, the unit is hardened, the action keeps its state for real."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot import process
from bot.cli import call
from tests.newer import Newer

DEPLOY = Path(__file__).parents[3] / "deploy"
ACTION = DEPLOY / "action"
WORST_EXPOSURE = 2.0  # systemd-analyze's scale from 0 to 10; below 2 it says OK


def yaml(file: Path) -> Any:
    return YAML(typ="safe").load(file.read_text(encoding="utf-8"))


def test_our_own_image_passes_our_own_audit(capsys: pytest.CaptureFixture[str]) -> None:
    code = call(["audit", str(DEPLOY / "Dockerfile"), "--fail-on", "note"])

    assert (code, capsys.readouterr().out.splitlines()[0]) == (0, "No finding in 1 file or image.")


def test_refit_looks_after_its_own_images(capsys: pytest.CaptureFixture[str]) -> None:
    config = DEPLOY.parent / ".github" / "refit-bot.yaml"

    assert call(["config", "check", "--config", str(config)]) == 0
    assert "1 project, 3 targets" in capsys.readouterr().out


def test_the_image_installs_what_the_tests_ran_on() -> None:
    def versions(file: Path) -> dict[str, str]:
        return dict(re.findall(r"^([\w.-]+)==([^ ]+)", file.read_text(encoding="utf-8"), re.MULTILINE))

    tested, shipped = versions(DEPLOY.parent / "requirements.lock"), versions(DEPLOY / "requirements.lock")

    assert shipped.items() <= tested.items()
    assert "pytest" not in shipped


def test_the_unit_is_sound_and_leaves_little_open(tmp_path: Path) -> None:
    text = (DEPLOY / "systemd" / "refit.service").read_text(encoding="utf-8")
    here = tmp_path / "refit.service"  # the program it names is where it will be installed
    here.write_text(text.replace("/opt/refit/bin/refit", "/bin/true"), encoding="utf-8")

    verified = process.run(["systemd-analyze", "verify", here], timeout=60, check=False)
    told = process.run(["systemd-analyze", "security", "--offline=true", here], timeout=60, check=False).text

    assert (verified.code, verified.stderr) == (0, b"")
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", told)
    assert exposure is not None
    assert float(exposure[1]) < WORST_EXPOSURE


def test_compose_understands_every_service(newer_docker: Newer, tmp_path: Path) -> None:
    (tmp_path / "refit.yaml").write_text("projects: []\n", encoding="utf-8")
    words = ["-f", str(DEPLOY / "compose.yaml"), "--project-directory", str(tmp_path), "--profile", "*"]

    command = [str(newer_docker.docker), "compose", *words, "config", "--services"]
    named = process.run(command, timeout=60, env=newer_docker.environment()).text.split()

    assert sorted(named) == ["engine", "postgres", "prove", "publish", "serve"]


def test_no_service_of_ours_has_more_power_than_it_needs() -> None:
    services = yaml(DEPLOY / "compose.yaml")["services"]

    for name in ("serve", "prove", "publish"):
        service = services[name]
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"] is True
        assert service["user"] != "root"
        assert "privileged" not in service
        assert not [one for one in service["volumes"] if "docker.sock" in str(one)]
    assert all(port.startswith("127.0.0.1:") for port in services["serve"]["ports"])


def test_what_builds_has_no_token_that_writes_and_what_writes_sees_no_engine() -> None:
    services = yaml(DEPLOY / "compose.yaml")["services"]

    assert services["prove"]["environment"]["GITHUB_TOKEN"] == "${REFIT_READ_TOKEN:-}"
    assert services["publish"]["environment"]["GITHUB_TOKEN"] == "${REFIT_WRITE_TOKEN:-}"
    assert not [one for one in services["publish"]["volumes"] if "socket" in str(one)]
    assert "DOCKER_HOST" not in services["publish"]["environment"]
    # Builds come to the engine's network alone: no service of ours, and no database, is there.
    assert services["engine"]["networks"] == ["builds"]
    assert not [name for name, one in services.items() if name != "engine" and "networks" in one]


def test_every_image_of_others_is_pinned_by_digest() -> None:
    services = yaml(DEPLOY / "compose.yaml")["services"]

    for name in ("engine", "postgres"):
        assert re.search(r":-[^}]+@sha256:[0-9a-f]{64}}$", services[name]["image"]), services[name]["image"]


# ── The action ──────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout as Actions makes it, of a real repository."""
    bare, path = tmp_path / "hub.git", tmp_path / "checkout"
    git("init", "-q", "--bare", "-b", "main", str(bare))
    git("init", "-q", "-b", "main", str(path))
    (path / "README.md").write_text("The shop.\n", encoding="utf-8")
    git("-C", str(path), "add", "-A")
    git("-C", str(path), *WHO, "commit", "-q", "-m", "First")
    git("-C", str(path), "remote", "add", "origin", f"file://{bare}")
    git("-C", str(path), "push", "-q", "origin", "main")
    return path


WHO = ("-c", "user.name=A person", "-c", "user.email=person@example.com")


def git(*words: str) -> str:
    env = process.environment(GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null")
    return process.run(["git", *words], timeout=60, env=env).text.strip()


def steps(checkout: Path, command: str, *, config: str = "{}") -> list[subprocess.CompletedProcess[str]]:
    """Run the action's own steps, as a runner would: all but the installation, which others test."""
    temp = checkout.parent / f"temp-{len(list(checkout.parent.glob('temp-*')))}"
    temp.mkdir()
    (temp / "refit-venv").symlink_to(DEPLOY.parent / ".venv")
    (checkout / "refit.yaml").write_text(config, encoding="utf-8")
    given = {
        "inputs.token": "ghp_action",
        "inputs.config": "refit.yaml",
        "inputs.command": command,
        "inputs.state-branch": "refit-state",
        "runner.temp": str(temp),
        "github.token": "",
    }
    ended = []
    for step in yaml(ACTION / "action.yml")["runs"]["steps"]:
        if step["name"] in ("Install Refit", "Keep the schedule enabled"):
            continue
        ended.append(run_step(step, checkout, temp, given))
    return ended


def run_step(
    step: Mapping[str, Any], checkout: Path, temp: Path, given: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    def filled(text: str) -> str:
        return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda found: given[found[1]], text)

    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(temp),
        "RUNNER_TEMP": str(temp),
        "GITHUB_ACTION_PATH": str(ACTION),
        **{name: filled(value) for name, value in step.get("env", {}).items()},
    }
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", step["run"]],
        cwd=checkout, env=env, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_the_action_keeps_its_state_on_an_orphan_branch_and_finds_it_again(checkout: Path) -> None:
    first = steps(checkout, "observe")
    second = steps(checkout, "schedule")

    assert [one.returncode for one in (*first, *second)] == [0] * 6, [one.stderr for one in (*first, *second)]
    assert "no state yet" in first[0].stdout
    assert "no state yet" not in second[0].stdout
    git("-C", str(checkout), "fetch", "-q", "origin", "refit-state")
    commits = git("-C", str(checkout), "rev-list", "FETCH_HEAD").splitlines()
    assert len(commits) == 1
    kept = git("-C", str(checkout), "ls-tree", "-r", "--name-only", "FETCH_HEAD").splitlines()
    assert "refit.sqlite3" in kept
    assert not [name for name in kept if name.startswith(("trivy/", "work/", "lease")) or "-wal" in name]
    assert git("-C", str(checkout), "status", "--porcelain", "--untracked-files=no") == ""


# A run that is cut off leaves what it wrote last beside the database.
CUT_OFF = """
import os, sqlite3, sys
store = sqlite3.connect(sys.argv[1])
store.execute("pragma journal_mode=wal")
store.execute("create table kept (word)")
store.execute("insert into kept values ('evidence')")
store.commit()
os._exit(0)
"""


def test_what_one_run_stored_the_next_one_has(checkout: Path) -> None:
    script, folder = ACTION / "state.sh", checkout.parent / "state"
    folder.mkdir()
    process.run([sys.executable, "-c", CUT_OFF, folder / "refit.sqlite3"], timeout=60)
    assert (folder / "refit.sqlite3-wal").exists()
    process.run(["bash", script, "keep", folder], timeout=60, cwd=checkout)

    again = checkout.parent / "again"
    process.run(["bash", script, "fetch", again], timeout=60, cwd=checkout)

    with closing(sqlite3.connect(again / "refit.sqlite3")) as store:
        assert store.execute("select word from kept").fetchall() == [("evidence",)]
    assert again.stat().st_mode & 0o077 == 0


def test_a_run_that_fails_fails_the_job_and_keeps_its_state(checkout: Path) -> None:
    fetched, ran, kept = steps(checkout, "run", config="nonsense: 1\n")

    assert (fetched.returncode, ran.returncode, kept.returncode) == (0, 2, 0)
    assert "there is no such key" in ran.stderr


Asked = list[tuple[str, str, str | None]]


class Heard(BaseHTTPRequestHandler):
    """Answers the keep-alive and remembers it."""

    asked: Asked

    def do_PUT(self) -> None:
        self.asked.append(("PUT", self.path, self.headers.get("Authorization")))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@pytest.fixture
def hub() -> Iterator[tuple[str, Asked]]:
    Heard.asked = []
    with HTTPServer(("127.0.0.1", 0), Heard) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", Heard.asked
        server.shutdown()


def test_the_keep_alive_enables_the_calling_workflow(
    hub: tuple[str, Asked],
) -> None:
    url, asked = hub
    env = {
        "GH_TOKEN": "ghs_job",
        "GITHUB_API_URL": url,
        "GITHUB_REPOSITORY": "acme/shop",
        "WORKFLOW": "refit.yml",
    }

    process.run(["bash", ACTION / "keep-alive.sh"], timeout=60, env=process.environment(**env))

    assert asked == [("PUT", "/repos/acme/shop/actions/workflows/refit.yml/enable", "Bearer ghs_job")]


def test_the_example_workflow_asks_for_no_more_than_it_says() -> None:
    workflow = yaml(ACTION / "workflow.example.yml")

    assert workflow["permissions"] == {}
    assert workflow["jobs"]["refit"]["permissions"] == {"contents": "write", "actions": "write"}
    assert workflow["concurrency"]["cancel-in-progress"] is False
