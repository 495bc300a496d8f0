"""A real Matrix homeserver on loopback: Synapse, in a virtual environment of its own, with SQLite."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx2 as httpx

from bot.process import run
from deploy.lab.ports import free_port

VERSION: Final = "1.163.2"
FOLDER: Final = Path(__file__).parents[1] / ".lab" / "synapse"
NAME: Final = "lab.test"
_SECRET: Final = "made-up-for-registering"
_INSTALL_SECONDS: Final = 600
_START_SECONDS: Final = 300
_GENEROUS: Final = {"per_second": 1000, "burst_count": 1000}


def install() -> None:
    """Install Synapse where it is missing; its many dependencies stay out of Refit's own."""
    if _python().exists() and (FOLDER / f"installed-{VERSION}").exists():
        return
    print(f"installing matrix-synapse {VERSION}")
    run([sys.executable, "-m", "venv", FOLDER / "venv"], timeout=_INSTALL_SECONDS)
    wanted = f"matrix-synapse=={VERSION}"
    run([_python(), "-m", "pip", "install", "--quiet", wanted], timeout=_INSTALL_SECONDS)
    (FOLDER / f"installed-{VERSION}").touch()


@dataclass
class Account:
    """Somebody on the homeserver.

    Attributes:
        url: The homeserver's address.
        user: Matrix id.
        token: Access token.
    """

    url: str
    user: str
    token: str

    def call(self, method: str, path: str, body: Any | None = None) -> dict[str, Any]:
        """One call of the client-server API."""
        answer = httpx.request(
            method,
            f"{self.url}/_matrix/client/v3/{path}",
            json={} if body is None and method != "GET" else body,
            headers={"authorization": f"Bearer {self.token}"},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def room(self, *invited: str) -> str:
        """A new room; its id."""
        made = {"preset": "private_chat", "invite": list(invited)}
        return str(self.call("POST", "createRoom", made)["room_id"])

    def say(self, room: str, text: str, **more: Any) -> str:
        """Send a message; its event id. `more` are fields of its content."""
        body = {"msgtype": "m.text", "body": text, **more}
        transaction = hashlib.sha256(f"{time.monotonic_ns()}{text}".encode()).hexdigest()
        return str(self.call("PUT", f"rooms/{room}/send/m.room.message/{transaction}", body)["event_id"])

    def messages(self, room: str) -> list[dict[str, Any]]:
        """The messages of a room, oldest first."""
        found = self.call("GET", f"rooms/{room}/messages?dir=b&limit=100")["chunk"]
        return [one for one in reversed(found) if one["type"] == "m.room.message"]


@dataclass
class Synapse:
    """A homeserver; its folder holds all that it knows."""

    url: str
    folder: Path
    command: list[str]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self.command, cwd=self.folder, stdout=log, stderr=log)
        _wait(self.url, self.process, self.folder / "log")

    def stop(self) -> None:
        """Stop it, as for an update."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(120)

    def register(self, name: str) -> Account:
        """A new account, by the shared secret."""
        where = f"{self.url}/_synapse/admin/v1/register"
        nonce = httpx.get(where, timeout=120).json()["nonce"]
        words = f"{nonce}\0{name}\0a-password\0notadmin".encode()
        mac = hmac.new(_SECRET.encode(), words, hashlib.sha1).hexdigest()
        body = {"nonce": nonce, "username": name, "password": "a-password", "admin": False, "mac": mac}
        made = httpx.post(where, json=body, timeout=120).json()
        return Account(self.url, made["user_id"], made["access_token"])


@contextmanager
def running(folder: Path) -> Iterator[Synapse]:
    """A homeserver with an empty database in a folder, until it is no longer needed."""
    if not _python().exists():
        raise FileNotFoundError("Synapse is not installed: run `python -m tests.setup`")
    port = free_port()
    config = folder / "homeserver.yaml"
    config.write_text(json.dumps(_config(folder, port)), encoding="utf-8")
    command = [str(_python()), "-m", "synapse.app.homeserver", "-c", str(config)]
    subprocess.run([*command, "--generate-keys"], check=True, cwd=folder, timeout=300, capture_output=True)
    server = Synapse(f"http://127.0.0.1:{port}", folder, command)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            if httpx.get(f"{url}/health", timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        assert process.poll() is None, log.read_text(encoding="utf-8")[-3000:]
        assert time.monotonic() < deadline, log.read_text(encoding="utf-8")[-3000:]
        time.sleep(0.1)


def _config(folder: Path, port: int) -> dict[str, Any]:
    limits = ("rc_message", "rc_registration", "rc_joins_per_room", "rc_room_creation")
    return {
        "server_name": NAME,
        "pid_file": str(folder / "pid"),
        "listeners": [
            {
                "port": port,
                "bind_addresses": ["127.0.0.1"],
                "type": "http",
                "tls": False,
                "resources": [{"names": ["client"], "compress": False}],
            }
        ],
        "database": {"name": "sqlite3", "args": {"database": str(folder / "homeserver.db")}},
        "media_store_path": str(folder / "media"),
        "signing_key_path": str(folder / "signing.key"),
        "registration_shared_secret": _SECRET,
        "macaroon_secret_key": _SECRET,
        "form_secret": _SECRET,
        "bcrypt_rounds": 4,
        "report_stats": False,
        "trusted_key_servers": [],
        "suppress_key_server_warning": True,
        **dict.fromkeys(limits, _GENEROUS),
        "rc_joins": {"local": _GENEROUS, "remote": _GENEROUS},
        "rc_invites": {"per_room": _GENEROUS, "per_user": _GENEROUS, "per_issuer": _GENEROUS},
    }


def _python() -> Path:
    return FOLDER / "venv" / "bin" / "python"
