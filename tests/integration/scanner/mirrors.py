"""Mirrors of a vulnerability database: one that has it, and ones that fail, each in its way."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from deploy.lab.registry import Registry

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_LAYER = "application/vnd.aquasec.trivy.db.layer.v1.tar+gzip"


def push(address: str, repository: str, cache: Path) -> str:
    """Push the database of a cache folder as trivy-db's own registry holds it; gives its name."""
    registry = Registry(address)
    layer, config = _archive(cache / "db"), b"{}"
    for blob in (layer, config):
        registry.push_blob(repository, _digest(blob), blob, len(blob))
    registry.put(repository, "2", _manifest(layer), _MANIFEST)
    return f"{address}/{repository}:2"


@contextmanager
def failing(status: int) -> Iterator[str]:
    """A mirror that answers everything with a status."""

    class Handler(_Handler):
        def do_GET(self) -> None:
            self.answer(status, b"{}")

    with _served(Handler) as address:
        yield f"{address}/made-up/trivy-db:2"


@contextmanager
def breaking_off(cache: Path) -> Iterator[str]:
    """A mirror whose connection ends in the middle of the database."""
    layer = _archive(cache / "db")

    class Handler(_Handler):
        def do_GET(self) -> None:
            if "/manifests/" in self.path:
                self.answer(200, _manifest(layer), _MANIFEST)
            elif _digest(layer) in self.path:
                self.answer(200, layer, cut=len(layer) // 2)
            else:
                self.answer(200, b"{}")

    with _served(Handler) as address:
        yield f"{address}/made-up/trivy-db:2"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(
        self, status: int, body: bytes, kind: str = "application/json", cut: int | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Docker-Content-Digest", _digest(body))
        self.end_headers()
        self.wfile.write(body[:cut])
        self.close_connection = cut is not None

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def _served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def _archive(folder: Path) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in ("trivy.db", "metadata.json"):
            archive.add(folder / name, name)
    return gzip.compress(packed.getvalue(), 1, mtime=0)


def _manifest(layer: bytes) -> bytes:
    config = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": _digest(b"{}"), "size": 2}
    title = {"org.opencontainers.image.title": "db.tar.gz"}
    entry = {"mediaType": _LAYER, "digest": _digest(layer), "size": len(layer), "annotations": title}
    manifest = {"schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": [entry]}
    return json.dumps(manifest).encode()


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
