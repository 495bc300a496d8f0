"""What the tests need from this machine beyond Python packages: installed as root, else named.

`make test` runs this first, so that a missing part is one clear line and not fifty failures.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bot.errors import ProcessFailed
from bot.process import run
from deploy.lab import packages
from deploy.lab.errors import LabError
from tests import newer, object_store, synapse
from tests.actions import language
from tests.github_server import contract

PACKAGES: Final[Mapping[str, str]] = {
    "cmark-gfm": "cmark-gfm",  # the GFM renderer that hostile text is shown to
    "binutils": "strip",  # what stripping saves is compared with what strip takes off
    "npm": "npm",  # brings GitHub's OpenAPI description
    "git": "git",
    "nodejs": "node",  # runs the emulator of GitHub
    "systemd": "systemd-analyze",  # judges the unit of deploy/systemd
    "postgresql": "pg_ctlcluster",  # the tests start a private server of their own
}


def main() -> int:
    """Install what is missing; 0 when everything is there."""
    try:
        packages.ensure(engine=True, say=print)
        _ensure_tools()
        contract.fetched()
        language.installed()
        synapse.install()
        object_store.install()
        _ensure_newer()
    except (LabError, ProcessFailed) as error:
        print(f"The tests cannot run here: {error} {getattr(error, 'hint', '')}".strip(), file=sys.stderr)
        return 4
    return 0


def _ensure_newer() -> None:
    """Only some tests need it: without it those fail, and say this again."""
    try:
        newer.ensure()
    except LabError as error:
        print(error, file=sys.stderr)


def _ensure_tools() -> None:
    absent = [package for package, program in PACKAGES.items() if shutil.which(program) is None]
    if not absent:
        return
    command = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *absent]
    if os.geteuid() != 0:
        raise LabError(f"The tests need {', '.join(absent)}.", hint=f"Run as root: {' '.join(command)}")
    print(f"installing {' '.join(absent)}")
    packages.refresh()
    run(command, timeout=600, env=dict(os.environ) | {"DEBIAN_FRONTEND": "noninteractive"})


if __name__ == "__main__":
    os.chdir(Path(__file__).parents[1])
    sys.exit(main())
