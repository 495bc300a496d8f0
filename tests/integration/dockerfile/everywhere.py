"""Every registry there is, behind one HTTPS proxy on loopback: it has any image, and notes what is asked for.

An engine that is given this proxy and its certificate authority asks it for the images of any registry
(`docker.io`, `ghcr.io`, `registry.example.com:5000`), so what BuildKit reads in a Dockerfile can be seen.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import re
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
# One layer with nothing in it: an image without any makes this engine fall over when it is copied from.
_TAR = bytes(1024)
_LAYER = gzip.compress(_TAR, mtime=0)
_PATH = re.compile(r"/v2/(?P<name>.+)/(?P<kind>manifests|blobs)/(?P<reference>[^/]+)")


class Everywhere:
    """The registries, the proxy in front of them, and their certificate authority.

    Attributes:
        asked: (host, repository, tag or digest) of each manifest that was asked for.
        authority: The file with the certificate of the authority.
    """

    def __init__(self, folder: Path) -> None:
        self.asked: set[tuple[str, str, str]] = set()
        self.blobs: dict[str, bytes] = {}
        self.manifest = b""
        self.authority = folder / "authority.pem"
        self._folder, self._contexts, self._lock = folder, dict[str, ssl.SSLContext](), threading.Lock()
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._issuer = _name("Every registry")
        self.authority.write_bytes(self._certificate("", authority=True))

    def image(self, version: str) -> str:
        """Let every name give another image from now on; returns its digest."""
        config = json.dumps(
            {"architecture": "amd64", "os": "linux", "config": {"Labels": {"version": version}},
             "rootfs": {"type": "layers", "diff_ids": [_digest(_TAR)]}}
        ).encode()  # fmt: skip
        described = {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "size": len(config),
            "digest": _digest(config),
        }
        layer = {"mediaType": LAYER, "size": len(_LAYER), "digest": _digest(_LAYER)}
        self.manifest = json.dumps(
            {"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": [layer]}
        ).encode()
        self.blobs = {_digest(data): data for data in (config, self.manifest, _LAYER)}
        return _digest(self.manifest)

    def context(self, host: str) -> ssl.SSLContext:
        """The certificate of a host, made when it is first asked for."""
        with self._lock:
            if host not in self._contexts:
                file = self._folder / f"{hashlib.sha256(host.encode()).hexdigest()[:16]}.pem"
                file.write_bytes(self._certificate(host, authority=False))
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(file)
                self._contexts[host] = context
            return self._contexts[host]

    def _certificate(self, host: str, *, authority: bool) -> bytes:
        """One key for all of them: the certificate, and the key after it."""
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(self._issuer if authority else _name("registry"))
            .issuer_name(self._issuer)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if host:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        signed = builder.sign(self._key, hashes.SHA256())
        key = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return signed.public_bytes(serialization.Encoding.PEM) + (b"" if authority else key)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    everywhere: Everywhere
    host = ""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""

    def do_CONNECT(self) -> None:
        """Become the host that was asked for."""
        self.send_response(200)
        self.end_headers()
        self.host = self.path.removesuffix(":443")
        with contextlib.suppress(OSError):
            context = self.everywhere.context(self.path.rpartition(":")[0])
            self.connection = context.wrap_socket(self.connection, server_side=True)
            self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
            self.close_connection = False
            with self.connection:
                while not self.close_connection:
                    self.handle_one_request()
        self.close_connection = True

    def do_GET(self) -> None:
        """Answer for any image."""
        found = _PATH.fullmatch(self.path.partition("?")[0])
        if found is None:
            self._answer(b"{}", "application/json")
        elif found["kind"] == "blobs":
            self._answer(self.everywhere.blobs.get(found["reference"]), "application/octet-stream")
        else:
            self.everywhere.asked.add((self.host, found["name"], found["reference"]))
            by_digest = found["reference"].startswith("sha256:")
            manifest = self.everywhere.manifest
            self._answer(self.everywhere.blobs.get(found["reference"]) if by_digest else manifest, MANIFEST)

    do_HEAD = do_GET  # noqa: N815 - the base class calls it so

    def _answer(self, body: bytes | None, media_type: str) -> None:
        self.send_response(200 if body is not None else 404)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body or b"")))
        if body is not None:
            self.send_header("Docker-Content-Digest", _digest(body))
        self.end_headers()
        if self.command == "GET" and body:
            self.wfile.write(body)


@contextlib.contextmanager
def everywhere(folder: Path) -> Iterator[tuple[Everywhere, dict[str, str]]]:
    """Run it; gives it, and the environment that leads an engine to it."""
    one = Everywhere(folder)
    handler = type("Handler", (_Handler,), {"everywhere": one})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    proxy = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield one, {"HTTPS_PROXY": proxy, "HTTP_PROXY": proxy, "SSL_CERT_FILE": str(one.authority)}
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
