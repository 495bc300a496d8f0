"""A second opinion on GitHub: the emulator that npm has as `emulate`, pinned, on loopback.

It is somebody else's reading of GitHub's API. Where it differs from GitHub, `DIFFERENCES` says how.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock

from deploy.lab.ports import free_port

VERSION: Final = "0.11.2"
_ROOT: Final = Path(__file__).resolve().parents[3]
_SECONDS: Final = 300.0
_SEED: Final = """\
tokens:
  ghp_refit: {login: refit, scopes: [repo]}
  ghp_alice: {login: alice, scopes: [repo]}
github:
  users:
    - {login: refit, email: refit@example.com}
    - {login: alice, email: alice@example.com}
  orgs:
    - login: acme
      members: [{login: refit, role: admin}, {login: alice, role: admin}]
  repos:
    - {owner: acme, name: shop, auto_init: true}
"""

# What the emulator does otherwise than GitHub.
_COUNTS: Final = (
    "it counts the base's own commit among those of a pull request, so one of ours looks pushed to"
)
_REFS: Final = "the address that it gives for a ref cannot be written to"
_FILES: Final = "it lists no files for a pull request"
_TWICE: Final = "it takes a second pull request for the same branch"

# By scenario. That it has no commit statuses, and keeps the branches of `_COUNTS`, is said where it shows.
DIFFERENCES: Final = {
    "test_a_second_run_and_a_second_machine_change_nothing": _COUNTS,
    "test_an_image_that_moves_again_updates_it_in_place": _COUNTS,
    "test_a_build_context_that_moved_moves_the_branch": _COUNTS,
    "test_one_that_is_reopened_is_looked_after_again": _COUNTS,
    "test_one_that_a_person_rewrote_by_force_is_left_alone": _REFS,
    "test_one_that_a_person_closed_stays_so_until_the_image_moves": _REFS,
    "test_the_same_change_by_somebody_else_gets_the_evidence": _FILES,
    "test_two_machines_at_once_make_one": _TWICE,
}


def installed() -> Path:
    """The emulator's program, installed by npm where it is not there yet; its install scripts do not run."""
    folder = Path(os.environ.get("REFIT_LAB_DIR") or _ROOT / ".lab") / "emulate"
    folder.mkdir(parents=True, exist_ok=True)
    package = folder / "node_modules" / "emulate"
    with FileLock(folder / "lock"):
        if not (package / "package.json").exists():
            npm = shutil.which("npm")
            assert npm, "these tests need npm: apt-get install npm"
            flags = ["--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--no-save"]
            command = [npm, "install", *flags, "--prefix", str(folder), f"emulate@{VERSION}"]
            subprocess.run(command, check=True, timeout=300, capture_output=True)
    found = json.loads((package / "package.json").read_text(encoding="utf-8"))["version"]
    assert found == VERSION, f"emulate {found} is there, and {VERSION} is pinned: remove {folder}"
    return package / "dist" / "index.js"


@contextmanager
def emulator(folder: Path) -> Iterator[str]:
    """Run it with one project; gives its address."""
    program, port = installed(), free_port()
    (folder / "seed.yaml").write_text(_SEED, encoding="utf-8")
    node = shutil.which("node")
    assert node, "these tests need Node.js: apt-get install nodejs"
    command = [node, str(program), "start", "--service", "github", "--port", str(port), "--seed", "seed.yaml"]
    env = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    with (folder / "emulator.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log)
        try:
            _wait(f"http://localhost:{port}", process)
            yield f"http://localhost:{port}"
        finally:
            process.terminate()
            process.wait(timeout=120)


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/meta", timeout=2):  # noqa: S310 - our own address
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"the emulator did not start at {address}")
