"""`python -m deploy.lab up|status|down`: the lab by hand."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from deploy.lab.daemon import Daemon
from deploy.lab.errors import LabError
from deploy.lab.lab import Lab


def main() -> int:
    """Do what the command line says; the exit code is 0, or 4 when a part cannot be had here."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.lab", description="Real parts on this machine alone."
    )
    parser.add_argument("action", choices=["up", "status", "down"])
    parser.add_argument("--folder", type=Path, default=Path(os.environ.get("REFIT_LAB_DIR", ".lab")))
    parser.add_argument("--no-engine", action="store_true", help="registry and images only")
    arguments = parser.parse_args()
    try:
        return _do(arguments.action, arguments.folder, engine=not arguments.no_engine)
    except LabError as error:
        print(error, file=sys.stderr)
        return error.exit_code


def _do(action: str, folder: Path, *, engine: bool) -> int:
    if action == "down":
        Lab.down(folder)
        return 0
    if action == "status":
        return _status(folder)
    lab = Lab.start(folder, engine=engine)
    lab.keep()
    print(f"DOCKER_HOST={lab.docker_host}")
    for name, digest in lab.stale.items():
        print(f"{name}  {digest}  fresh {lab.fresh[name]}")
    lab.stop()
    return 0


def _status(folder: Path) -> int:
    running = {name: Daemon(name, folder.resolve()).pid for name in ("docker-registry", "dockerd")}
    for name, pid in running.items():
        print(f"{name}: {f'process {pid}' if pid else 'not running'}")
    return 0 if any(running.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
