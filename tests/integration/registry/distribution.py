"""The real registry of the distribution project on a loopback port, in each of its modes of login."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2 as httpx

from bot.process import environment
from deploy.lab.ports import free_port
from tests.integration.registry.images import Content, Image

USER, PASSWORD = "refit", "made-up"
_BCRYPT = "refit:$2y$04$ytW4qmwTidrDyJee8cxU/eNVhMmN83UVLH5MgZXWEhpvEgT4ZSydC\n"
_START_SECONDS = 300.0


@contextlib.contextmanager
def distribution(
    folder: Path, *, http: Mapping[str, Any] | None = None, auth: Mapping[str, Any] | None = None
) -> Iterator[str]:
    """Run a registry over the blobs in `folder`; gives its address. Several may serve one folder."""
    address = f"127.0.0.1:{free_port()}"
    config = folder / f"{address}.yml"
    config.write_text(json.dumps(_config(folder, address, http or {}, auth or {})))
    with (folder / f"{address}.log").open("wb") as log:
        process = subprocess.Popen(
            ["docker-registry", "serve", str(config)], stdout=log, stderr=log, env=environment()
        )
    try:
        _wait(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(120)


def _config(folder: Path, address: str, http: Mapping[str, Any], auth: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "version": 0.1,
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "blobs")}},
        "http": {"addr": address, "secret": "not-a-secret-on-loopback", **http},
        **({"auth": dict(auth)} if auth else {}),
    }


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    host, _, port = address.partition(":")
    until = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"docker-registry did not start: install it, or read its log beside {address}.yml")


def htpasswd(folder: Path) -> dict[str, Any]:
    """The settings of a login by user and password: `refit`, `made-up`."""
    path = folder / "htpasswd"
    path.write_text(_BCRYPT)
    return {"htpasswd": {"realm": "test", "path": str(path)}}


def push(address: str, repository: str, tag: str, image: Image) -> None:
    """Put an image into a registry that asks for no login."""
    with httpx.Client(base_url=f"http://{address}/v2/{repository}") as client:
        _push_blob(client, image.config)
        _put(client, image.manifest, image.manifest.digest)
        _put(client, image.index, tag)


def _push_blob(client: httpx.Client, blob: Content) -> None:
    location = client.post("blobs/uploads/").headers["Location"]
    mark = "&" if "?" in location else "?"
    answer = client.put(f"{location}{mark}digest={blob.digest}", content=blob.body)
    assert answer.status_code == 201, answer.text


def _put(client: httpx.Client, content: Content, name: str) -> None:
    answer = client.put(
        f"manifests/{name}", content=content.body, headers={"Content-Type": content.media_type}
    )
    assert answer.status_code == 201, answer.text
