"""`refit rescan`, the real process: an image needs no configuration, and the difference has its cause."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.lab import bolt
from tests.e2e.call import refit_process
from tests.e2e.world import Ended, World

pytestmark = pytest.mark.lab

KNOWN = "CVE-2011-4116"
NEW = "CVE-2026-10001"


def database(cache: Path, *known: str) -> None:
    """A database for Trivy in which perl on Debian 12 has these vulnerabilities, without a fix."""
    folder = cache / "db"
    folder.mkdir(parents=True, exist_ok=True)
    perl: Mapping[str, bytes] = dict.fromkeys(known, b'{"Status":2}')
    details = {one: json.dumps({"Title": one, "Severity": "HIGH"}).encode() for one in known}
    source = json.dumps({"ID": "debian", "Name": "a test", "URL": "https://www.debian.org/"}).encode()
    buckets: bolt.Bucket = {
        "debian 12": {"perl": perl},
        "vulnerability": details,
        "data-source": {"debian 12": source},
    }
    (folder / "trivy.db").write_bytes(bolt.dump(buckets))
    stamp = datetime.now(UTC).isoformat()
    times = dict.fromkeys(("UpdatedAt", "DownloadedAt", "NextUpdate"), stamp)
    (folder / "metadata.json").write_text(json.dumps({"Version": 2} | times))


def configured(world: World) -> Path:
    """A cache folder of this test's own that the configuration names; returns it."""
    cache = world.folder / "trivy"
    world.settings["scanner"] = {"database_folder": str(cache), "offline": True}
    return cache


def rescan(world: World, name: str) -> Ended:
    return world.refit("rescan", name)


def test_what_a_newer_database_knows_is_the_databases_doing(world: World) -> None:
    base, cache = world.base(), configured(world)
    database(cache, KNOWN)
    first = rescan(world, base.name)
    database(cache, KNOWN, NEW)

    second = rescan(world, base.name)

    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert first.out.splitlines()[:2] == [f"{base.name}: 1 high", "First scan: nothing to compare with."]
    assert second.out.splitlines()[:2] == [
        f"{base.name}: 2 high",
        f"New since the last scan: 1 high: {NEW} (perl-base, database)",
    ]


def test_a_target_is_built_and_scanned_and_nothing_is_left(world: World) -> None:
    base = world.base()
    world.project({"web/Dockerfile": f"FROM {base.pinned}\nRUN echo built > /here\n"})
    database(configured(world), KNOWN)

    ended = rescan(world, "web")

    assert ended.code == 0, ended.err
    assert ended.out.startswith("web: 1 high\n")
    assert "\nbuilt from " in ended.out
    assert world.leftovers() == []
    assert "Nothing changed since the last scan." in rescan(world, "shop#web").out


def test_an_image_needs_no_configuration(world: World) -> None:
    base = world.base()
    database(world.state / "trivy" / "cache", KNOWN)
    folder = world.folder / "elsewhere"
    folder.mkdir()
    # No way out: the database that is there is used, wherever the tests run.
    home = {"HOME": str(folder), "REFIT_STATE_DIR": str(world.state), "HTTPS_PROXY": "http://127.0.0.1:9"}

    ended = refit_process("rescan", base.name, folder=folder, env=home)

    assert ended.code == 0, ended.err
    assert ended.out.startswith(f"{base.name}: 1 high\n")


REFUSED = {
    "a typing mistake": ("wbe", 2, "there is no target 'wbe'", "Did you mean web?"),
    "no image": ("No Such", 2, "it is no image", "such as debian:12"),
    "a registry out of reach": ("127.0.0.1:9/x:1", 4, "127.0.0.1:9", "the next run tries again"),
}


@pytest.mark.parametrize(("name", "code", "error", "hint"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_scanned_is_said_with_what_to_do(
    world: World, name: str, code: int, error: str, hint: str
) -> None:
    world.project({"web/Dockerfile": "FROM scratch\n"})

    ended = rescan(world, name)

    assert (ended.code, ended.out) == (code, "")
    assert error in ended.err
    assert hint in ended.err
