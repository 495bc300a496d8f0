"""A private PostgreSQL on loopback, in a folder of its own, with a password: started once for a whole run."""

from __future__ import annotations

import itertools
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from deploy.lab.ports import free_port

_PROGRAMS: Final = Path("/usr/lib/postgresql")
# Nothing here has to outlive the machine, and the disk is shared with builds.
_FAST: Final = "-c fsync=off -c full_page_writes=off -c shared_buffers=32MB -c max_connections=200"
_numbers = itertools.count(1)


@dataclass
class Cluster:
    """A running PostgreSQL server.

    Attributes:
        folder: Its data, owned by the user it runs as.
        port: On 127.0.0.1.
        password: Of its one user, `refit`.
    """

    folder: Path
    port: int
    password: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    def database(self) -> str:
        """Make a database of its own; gives its URL, password included."""
        name = f"refit_{os.getpid()}_{next(_numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def url(self, database: str) -> str:
        """The URL of a database of this server."""
        return f"postgresql://refit:{self.password}@127.0.0.1:{self.port}/{database}"

    def make(self) -> None:
        """Write an empty cluster; its one user may come in with the password."""
        secret = self.folder / "password"
        secret.write_text(self.password, encoding="ascii")
        shutil.chown(secret, _user())
        words = ["--auth=scram-sha-256", "--username=refit", f"--pwfile={secret}", "--no-sync", "-E", "UTF8"]
        self._run("initdb", "-D", str(self._data), *words)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-h 127.0.0.1 -p {self.port} -k {self.folder} {_FAST}"
        self._run(
            "pg_ctl", "-D", str(self._data), "-l", str(self.folder / "log"), "-o", options, "-w", "start"
        )

    def stop(self) -> None:
        """Stop it at once, with every connection to it."""
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "stop")

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _run(self, program: str, *words: str) -> None:
        command: Sequence[str] = [str(_newest() / program), *words]
        who: dict[str, Any] = {"user": _user(), "group": _user(), "extra_groups": []} if _root() else {}
        # To a file: the server keeps what it inherits open, and a pipe would never end.
        with (self.folder / "said").open("ab") as said:
            code = subprocess.run(
                command, stdout=said, stderr=said, cwd=self.folder, check=False, **who
            ).returncode
        assert code == 0, (self.folder / "said").read_text(encoding="utf-8")


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A server for as long as it is needed; its folder is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="refit-postgresql-"))
    if _root():
        shutil.chown(folder, _user(), _user())
    made = Cluster(folder, free_port())
    try:
        made.make()
        made.start()
        yield made
        made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _root() -> bool:
    return os.geteuid() == 0


def _user() -> str:
    """PostgreSQL refuses to run as root."""
    return "postgres" if _root() else pwd.getpwuid(os.geteuid()).pw_name


def _newest() -> Path:
    found = sorted(_PROGRAMS.glob("*/bin"), key=lambda path: int(path.parent.name))
    assert found, "PostgreSQL is not installed: `python -m tests.setup` installs it"
    return found[-1]
