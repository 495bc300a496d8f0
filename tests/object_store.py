"""A server that speaks S3 on loopback (moto), and what speaks to it (s3fs): outside the lock file."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import httpx2 as httpx

from bot.process import run
from deploy.lab.ports import free_port

FOLDER: Final = Path(__file__).parents[1] / ".lab" / "s3"
PACKAGES: Final = FOLDER / "packages"
SECRET: Final = "made-up-secret-of-the-store"
_SERVER: Final = "5.2.5"
_INSTALL_SECONDS: Final = 600
_START_SECONDS: Final = 300


def install() -> None:
    """Install both where they are missing; s3fs must be of fsspec's own version."""
    if _installed().exists():
        return
    wanted = [f"moto[s3]=={_SERVER}", "flask", "flask-cors", f"s3fs=={version('fsspec')}"]
    print(f"installing {' '.join(wanted)}")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--target", str(PACKAGES)]
    run([*pip, *wanted], timeout=_INSTALL_SECONDS)
    _installed().touch()


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """A running server.

    Attributes:
        url: Its address.
    """

    url: str

    def bucket(self, name: str) -> None:
        """Make a bucket; whoever runs an object store does that, Refit never."""
        assert httpx.put(f"{self.url}/{name}", timeout=120).status_code == 200

    def environment(self) -> dict[str, str]:
        """What tells a client where it is and who comes."""
        return {
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_ACCESS_KEY_ID": "made-up-id",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


@contextmanager
def running() -> Iterator[ObjectStore]:
    """An empty server, and its client to be imported, until they are no longer needed."""
    if not _installed().exists():
        raise FileNotFoundError("The S3 server is not installed: run `python -m tests.setup`")
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    env = dict(os.environ) | {"PYTHONPATH": str(PACKAGES)}
    with (FOLDER / "log").open("wb") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    # Last on the path: what both have is Refit's.
    sys.path.append(str(PACKAGES))
    try:
        _wait(f"http://127.0.0.1:{port}", process)
        yield ObjectStore(f"http://127.0.0.1:{port}")
    finally:
        sys.path.remove(str(PACKAGES))
        process.terminate()
        process.wait(120)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            httpx.get(url, timeout=5)
        except httpx.HTTPError:
            assert process.poll() is None, (FOLDER / "log").read_text(encoding="utf-8")[-3000:]
            assert time.monotonic() < deadline, (FOLDER / "log").read_text(encoding="utf-8")[-3000:]
            time.sleep(0.1)
        else:
            return


def _installed() -> Path:
    return FOLDER / f"installed-{_SERVER}-{version('fsspec')}"
