"""How Trivy is run: a script in its place writes down what it is asked."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.errors import ScanError
from bot.model.target import LINUX_AMD64
from bot.ports import ScanRequest
from bot.scanner import Access, DatabaseSettings, ScannerSettings, TrivyScanner
from bot.scanner.binary import file_digest

NOW = datetime(2026, 11, 24, tzinfo=UTC)
DIGEST = "sha256:" + "1" * 64
REQUEST = ScanRequest(f"debian@{DIGEST}", remote=True, digest=DIGEST, platform=LINUX_AMD64)

# Answers as Trivy 0.74.0 does; the first line's comment is what the check of the binary looks for.
SCRIPT = """#!/bin/sh
# trivy/pkg/version/app.ver=0.74.0
echo "$@" >> {calls}
env > {environment}
[ -z "$DOCKER_CONFIG" ] || cat "$DOCKER_CONFIG/config.json" >> {given}
[ -z "$SSL_CERT_FILE" ] || cat "$SSL_CERT_FILE" >> {given}
case "$*" in *down.example*/library/*) echo "MANIFEST_UNKNOWN" >&2; exit 1 ;; esac
while [ $# -gt 0 ]; do
  case "$1" in
    --cache-dir) cache=$2 ;;
    --output) report=$2 ;;
    --java-db-repository) repository=$2 ;;
    --download-db-only) download=db ;;
    --download-java-db-only) download=java-db ;;
  esac
  shift
done
if [ "$download" = db ]; then {update}; exit; fi
if [ "$download" = java-db ] && [ "$repository" = down.example/java:1 ]; then exit 1; fi
if [ "$download" = java-db ]; then
  mkdir "$cache/java-db"; echo $$ > "$cache/java-db/trivy-java.db"
  echo '{{"NextUpdate": "2026-11-27T00:00:00Z", "DownloadedAt": "2026-11-24T00:00:00Z"}}' \
    > "$cache/java-db/metadata.json"
  exit
fi
if {java} && [ ! -d "$cache/java-db" ]; then
  echo "ERROR	[javadb] The first run cannot skip downloading Java DB" >&2
  exit 1
fi
echo '{{"SchemaVersion": 2, "Metadata": {{"OS": {{"Family": "debian", "Name": "12.1"}}}}}}' > "$report"
"""


FETCHED = """mkdir -p "$cache/db"; echo new > "$cache/db/trivy.db"
  echo '{"Version": 2, "UpdatedAt": "2026-11-24T00:00:00Z"}' > "$cache/db/metadata.json\""""


class World:
    """A scanner on the script, and what the script was asked."""

    def __init__(
        self, folder: Path, *, java: bool = False, update: str = FETCHED, **database: object
    ) -> None:
        self._calls, self._environment, self.given = (
            folder / name for name in ("calls", "environment", "given")
        )
        self.cache = folder / "cache"
        (self.cache / "db").mkdir(parents=True)
        (self.cache / "db" / "trivy.db").write_bytes(b"bolt")
        (self.cache / "db" / "metadata.json").write_text(
            json.dumps({"Version": 2, "UpdatedAt": "2026-11-23T00:00:00Z"})
        )
        path = folder / "trivy"
        answers = {"java": "true" if java else "false", "update": update}
        files = {"calls": self._calls, "environment": self._environment, "given": self.given}
        path.write_text(SCRIPT.format(**files, **answers))
        path.chmod(0o755)
        settings = ScannerSettings(
            folder / "state",
            DatabaseSettings(self.cache, **database),  # type: ignore[arg-type]  # as the test gives them
            path=path,
            sha256=file_digest(path),
            mirrors={"docker.io": ("http://mirror.example:5000",)},
        )
        self.settings = settings
        self.scanner = TrivyScanner(settings, now=lambda: NOW)

    @property
    def calls(self) -> list[str]:
        return self._calls.read_text().splitlines()

    @property
    def environment(self) -> set[str]:
        return {line.partition("=")[0] for line in self._environment.read_text().splitlines()}


def test_a_mirror_takes_the_registrys_place_and_the_subject_keeps_its_name(tmp_path: Path) -> None:
    world = World(tmp_path, offline=True)
    scan = world.scanner.scan(REQUEST)
    assert scan.subject == f"debian@{DIGEST}"
    assert world.calls[-1].endswith(f"--insecure -- mirror.example:5000/library/debian@{DIGEST}")
    assert "--platform linux/amd64" in world.calls[-1]


def test_every_setting_is_named_so_that_none_is_found_by_chance(tmp_path: Path) -> None:
    world = World(tmp_path, offline=True)
    world.scanner.scan(REQUEST)
    words = world.calls[-1].split()
    assert {"--config", "--ignorefile", "--secret-config", "--module-dir", "--cache-dir"} <= set(words)
    assert {"--skip-db-update", "--offline-scan", "--list-all-pkgs", "--disable-telemetry"} <= set(words)
    assert not {name for name in world.environment if name.startswith(("TRIVY_", "GITHUB_", "AWS_"))}


def test_offline_nothing_is_downloaded(tmp_path: Path) -> None:
    world = World(tmp_path, offline=True)
    world.scanner.scan(REQUEST)
    assert not [call for call in world.calls if "--download" in call]


def test_the_database_is_updated_once_from_the_mirrors_in_their_order(tmp_path: Path) -> None:
    world = World(tmp_path, repositories=("one.example/db:2", "two.example/db:2"))
    world.scanner.scan(REQUEST)
    world.scanner.scan(REQUEST)
    (download,) = [call for call in world.calls if "--download-db-only" in call]
    assert "--db-repository one.example/db:2" in download


def test_the_next_mirror_is_asked_where_the_first_has_none(tmp_path: Path) -> None:
    world = World(tmp_path, update="false", repositories=("one.example/db:2", "two.example/db:2"))
    world.scanner.scan(REQUEST)
    downloads = [call for call in world.calls if "--download-db-only" in call]
    assert [call.rpartition(" ")[2] for call in downloads] == ["one.example/db:2", "two.example/db:2"]


def test_a_failed_update_is_noted_and_the_scan_goes_on(tmp_path: Path) -> None:
    world = World(tmp_path, update="echo 429 >&2; false")
    assert world.scanner.scan(REQUEST).supported
    assert "could not be updated" in world.scanner.database().note


def test_the_database_for_java_is_fetched_when_an_image_needs_it(tmp_path: Path) -> None:
    world = World(tmp_path, java=True, java_repositories=("one.example/java:1",))
    world.scanner.scan(REQUEST)
    world.scanner.scan(REQUEST)
    (download,) = [call for call in world.calls if "--download-java-db-only" in call]
    assert "--java-db-repository one.example/java:1" in download


def test_the_database_for_java_comes_from_the_next_mirror_where_the_first_has_none(tmp_path: Path) -> None:
    world = World(tmp_path, java=True, java_repositories=("down.example/java:1", "up.example/java:1"))
    world.scanner.scan(REQUEST)
    downloads = [call for call in world.calls if "--download-java-db-only" in call]
    assert [call.rpartition(" ")[2] for call in downloads] == ["down.example/java:1", "up.example/java:1"]


def test_the_database_for_java_is_brought_up_to_date_where_it_is_due_and_never_fetched_in_advance(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, java=True)
    world.scanner.scan(REQUEST)

    def scanner(days: int) -> TrivyScanner:
        return TrivyScanner(world.settings, now=lambda: NOW + timedelta(days=days))

    def downloads() -> int:
        return sum("--download-java-db-only" in call for call in world.calls)

    scanner(2).scan(REQUEST)
    assert downloads() == 1
    scanner(4).scan(REQUEST)
    assert downloads() == 2


def test_a_database_for_java_that_stays_old_is_told(tmp_path: Path) -> None:
    world = World(tmp_path, java=True)
    world.scanner.scan(REQUEST)
    database = replace(world.settings.database, java_repositories=("down.example/java:1",))
    later = TrivyScanner(replace(world.settings, database=database), now=lambda: NOW + timedelta(days=4))

    note = later.scan(REQUEST).database.note

    assert note.startswith("for Java archives, the database could not be updated from down.example/java:1")


def test_offline_an_image_with_java_archives_fails_rather_than_seem_clean(tmp_path: Path) -> None:
    world = World(tmp_path, java=True, offline=True)
    with pytest.raises(ScanError, match="no Java database") as raised:
        world.scanner.scan(REQUEST)
    assert "--download-java-db-only" in raised.value.hint


@pytest.mark.parametrize(
    ("host", "insecure"),
    [
        ("127.0.0.1:5000", True),
        ("localhost", True),
        ("localhost:5000", True),
        ("127.example.com", False),
        ("127.0.0.1.example.com", False),
        ("localhost.example.com", False),
    ],
)
def test_only_this_machine_is_spoken_to_without_certificates(
    tmp_path: Path, host: str, *, insecure: bool
) -> None:
    world = World(tmp_path, offline=True)
    world.scanner.scan(replace(REQUEST, subject=f"{host}/app@{DIGEST}"))
    assert ("--insecure" in world.calls[-1].split()) is insecure


def test_where_a_mirror_has_no_such_image_the_next_is_asked_and_then_the_registry_itself(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, offline=True)
    mirrors = {"docker.io": ("down.example", "https://down.example:5000/proxy")}

    TrivyScanner(replace(world.settings, mirrors=mirrors), now=lambda: NOW).scan(REQUEST)

    assert [call.rpartition(" ")[2] for call in world.calls] == [
        f"down.example/library/debian@{DIGEST}",
        f"down.example:5000/proxy/library/debian@{DIGEST}",
        f"docker.io/library/debian@{DIGEST}",
    ]


def test_the_registry_that_is_asked_gets_its_login_and_certificates_and_nobody_elses(tmp_path: Path) -> None:
    world = World(tmp_path, offline=True)
    (tmp_path / "ca.pem").write_text("OUR CERTIFICATE")
    ways = {
        "private.example": Access({"auth": "cHJpdmF0ZQ=="}, tmp_path / "ca.pem"),
        "docker.io": Access({"auth": "aHVi"}),
    }
    settings = replace(world.settings, mirrors={})
    asked = TrivyScanner(settings, now=lambda: NOW, access=lambda host: ways.get(host, Access()))

    asked.scan(replace(REQUEST, subject=f"private.example/app@{DIGEST}"))
    given = world.given.read_text()
    assert given.startswith('{"auths": {"private.example": {"auth": "cHJpdmF0ZQ=="}}}')
    assert given.endswith("OUR CERTIFICATE")

    world.given.write_text("")
    asked.scan(REQUEST)
    given = world.given.read_text()
    assert given.startswith('{"auths": {"https://index.docker.io/v1/": {"auth": "aHVi"}}}')
    assert "OUR CERTIFICATE" not in given

    world.given.write_text("")
    asked.scan(replace(REQUEST, subject=f"public.example/app@{DIGEST}"))
    assert "auths" not in world.given.read_text()
