"""A private certificate authority, and a token server whose tokens the real registry accepts."""

from __future__ import annotations

import base64
import ipaddress
import json
import threading
import uuid
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ISSUER, SERVICE = "tests", "the-registry"


class Authority:
    """A key with a certificate for 127.0.0.1 that vouches for itself; `folder` gets both as files."""

    def __init__(self, folder: Path) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = _certificate(self.key)
        self.ca_file, self.key_file = folder / "ca.pem", folder / "key.pem"
        self.ca_file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        self.key_file.write_bytes(
            self.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )

    def token(self, access: list[dict[str, Any]], seconds: int) -> str:
        """A signed token (distribution's token specification) for some access."""
        now = datetime.now(UTC)
        claims = {
            "iss": ISSUER, "aud": SERVICE, "sub": "", "jti": uuid.uuid4().hex, "access": access,
            "iat": now, "nbf": now - timedelta(seconds=10), "exp": now + timedelta(seconds=seconds),
        }  # fmt: skip
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        chain = [base64.b64encode(der).decode()]
        return jwt.encode(claims, self.key, "ES256", headers={"x5c": chain})


def _certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Refit's tests")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


class TokenServer:
    """Gives tokens for every pull that is asked for; `login` is the only user, or None for everybody.

    Attributes:
        asked: The scopes of every request, in order.
    """

    def __init__(
        self, authority: Authority, login: tuple[str, str] | None = None, seconds: int = 300
    ) -> None:
        self.asked: list[list[str]] = []
        self._authority, self._seconds = authority, seconds
        self._expected = "Basic " + base64.b64encode(":".join(login).encode()).decode() if login else None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def realm(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/token"

    @property
    def auth(self) -> dict[str, Any]:
        """The registry's settings that send everybody here."""
        bundle = str(self._authority.ca_file)
        return {
            "token": {"realm": self.realm, "service": SERVICE, "issuer": ISSUER, "rootcertbundle": bundle}
        }

    def answer(self, query: str, authorization: str | None) -> tuple[int, bytes]:
        """Status and body for one request."""
        scopes = parse_qs(query).get("scope", [])
        self.asked.append(scopes)
        if self._expected is not None and authorization != self._expected:
            return 401, b"{}"
        access = [
            {"type": kind, "name": name, "actions": actions.split(",")}
            for kind, name, actions in (scope.split(":") for scope in scopes)
        ]
        token = self._authority.token(access, self._seconds)
        return 200, json.dumps({"token": token, "expires_in": self._seconds}).encode()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(tokens: TokenServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = tokens.answer(urlsplit(self.path).query, self.headers.get("Authorization"))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's signature
            pass

    return Handler
