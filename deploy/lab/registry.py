"""The loopback registry: a real one (distribution), and the few requests of its API that fill it."""

from __future__ import annotations

import contextlib
import http.client
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from deploy.lab.daemon import Daemon
from deploy.lab.errors import LabError
from deploy.lab.images import INDEX, MANIFEST, Image, digest_of, index_of
from deploy.lab.ports import free_port

_BLOCK: Final = 1 << 20
_SECONDS: Final = 300.0
_ACCEPT: Final = {"Accept": f"{INDEX}, {MANIFEST}"}


@dataclass(frozen=True, slots=True)
class Server:
    """The registry's process; it keeps its port within one folder as long as nobody else takes it.

    Args:
        folder: The lab's folder; blobs live in its `registry`.
    """

    folder: Path

    @property
    def _daemon(self) -> Daemon:
        return Daemon("docker-registry", self.folder)

    def start(self) -> Registry:
        """Start it, unless it runs, and return the way to speak to it.

        Raises:
            LabError: It does not start.
        """
        if self._daemon.pid is None or not self._registry().answers():
            self._daemon.stop()
            registry = Registry(f"127.0.0.1:{free_port(self._port())}")
            self._port_file.write_text(registry.address)
            self._config_file.write_text(self._config(registry.address))
            self._daemon.start(
                ["/usr/bin/docker-registry", "serve", self._config_file],
                ready=registry.answers,
                timeout=300,
                env={},
            )
        return self._registry()

    def stop(self) -> None:
        """End it; what was pushed stays."""
        self._daemon.stop(grace=5)

    @property
    def _port_file(self) -> Path:
        return self.folder / "registry.address"

    @property
    def _config_file(self) -> Path:
        return self.folder / "registry.yml"

    def _port(self) -> int:
        with contextlib.suppress(OSError, ValueError):
            return int(self._port_file.read_text().rpartition(":")[2])
        return 0

    def _registry(self) -> Registry:
        return Registry(f"127.0.0.1:{self._port()}")

    def _config(self, address: str) -> str:
        storage = {
            "filesystem": {"rootdirectory": str(self.folder / "registry")},
            "delete": {"enabled": True},
            "maintenance": {"uploadpurging": {"enabled": False}},
        }
        # JSON is YAML; a long secret of its own keeps the registry from warning about one.
        http_part = {"addr": address, "secret": "not-a-secret-on-loopback"}
        log = {"level": "error", "accesslog": {"disabled": True}}
        return json.dumps({"version": 0.1, "log": log, "storage": storage, "http": http_part})


@dataclass(frozen=True, slots=True)
class Registry:
    """Speaks to the registry (OCI distribution specification 1.1), without authentication, over loopback.

    Args:
        address: `HOST:PORT`.
    """

    address: str

    def answers(self) -> bool:
        """Whether a registry listens there."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self._ask("GET", "/v2/")[0] == http.client.OK
        return False

    def digest(self, repository: str, reference: str) -> str | None:
        """What a tag or digest names now, by HEAD; None where there is nothing."""
        status, headers, _ = self._ask("HEAD", f"/v2/{repository}/manifests/{reference}", headers=_ACCEPT)
        return headers.get("Docker-Content-Digest") if status == http.client.OK else None

    def tags(self, repository: str) -> list[str]:
        """The tags of a repository; none where there is no such repository."""
        status, _, body = self._ask("GET", f"/v2/{repository}/tags/list")
        return list(json.loads(body)["tags"] or []) if status == http.client.OK else []

    def manifest(self, repository: str, reference: str) -> tuple[bytes, str]:
        """The bytes and media type of a manifest or index.

        Raises:
            LabError: There is none.
        """
        path = f"/v2/{repository}/manifests/{reference}"
        status, headers, body = self._ask("GET", path, headers=_ACCEPT)
        if status != http.client.OK:
            raise LabError(f"The lab's registry has no {repository}@{reference} (HTTP {status}).")
        return body, headers["Content-Type"] or ""

    def push(self, repository: str, tag: str, *images: Image) -> str:
        """Push images as one index (several make several platforms) and return the index's digest."""
        for image in images:
            for layer in image.layers:
                self.push_blob(repository, layer.digest, layer.data, layer.size)
            config = image.config_blob()
            self.push_blob(repository, digest_of(config), config, len(config))
            manifest = image.manifest()
            self.put(repository, digest_of(manifest), manifest, MANIFEST)
        return self.put(repository, tag, index_of(images), INDEX)

    def put(self, repository: str, reference: str, body: bytes, media_type: str) -> str:
        """Put a manifest or index under a tag or digest; return its digest."""
        self._must("PUT", f"/v2/{repository}/manifests/{reference}", body, {"Content-Type": media_type})
        return digest_of(body)

    def move(self, repository: str, tag: str, digest: str) -> None:
        """Let a tag name a manifest that the repository has; the old one stays pullable by digest."""
        body, media_type = self.manifest(repository, digest)
        self.put(repository, tag, body, media_type)

    def copy(self, source: str, digest: str, target: str, tag: str) -> None:
        """Copy an index with all it names to another repository; blobs are mounted, not sent."""
        index, media_type = self.manifest(source, digest)
        for entry in json.loads(index)["manifests"]:
            body, inner = self.manifest(source, entry["digest"])
            value = json.loads(body)
            for part in (value["config"], *value["layers"]):
                self._mount(source, part["digest"], target)
            self.put(target, entry["digest"], body, inner)
        self.put(target, tag, index, media_type)

    def push_blob(self, repository: str, digest: str, data: bytes | Path, size: int) -> None:
        """Upload a blob in one piece (POST, PUT), unless the repository has it."""
        if self._ask("HEAD", f"/v2/{repository}/blobs/{digest}")[0] == http.client.OK:
            return
        headers = self._must("POST", f"/v2/{repository}/blobs/uploads/", b"", {})
        location = urlsplit(headers["Location"] or "")
        path = f"{location.path}?{location.query}&digest={digest}"
        self._must(
            "PUT", path, data, {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        )

    def _mount(self, source: str, digest: str, target: str) -> None:
        self._must("POST", f"/v2/{target}/blobs/uploads/?mount={digest}&from={source}", b"", {})

    def _must(
        self, method: str, path: str, body: bytes | Path, headers: dict[str, str]
    ) -> http.client.HTTPMessage:
        status, answer, text = self._ask(method, path, body, headers)
        if status not in (http.client.CREATED, http.client.ACCEPTED):
            raise LabError(f"The lab's registry refused {method} {path}: HTTP {status} {text[:300]!r}.")
        return answer

    def _ask(
        self, method: str, path: str, body: bytes | Path = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        host, _, port = self.address.partition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=_SECONDS, blocksize=_BLOCK)
        with contextlib.closing(connection), contextlib.ExitStack() as files:
            data = files.enter_context(body.open("rb")) if isinstance(body, Path) else body
            connection.request(method, path, data, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
