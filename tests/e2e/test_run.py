"""`refit run`, the real process on real parts: what a user gets."""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path

import jsonschema
import pytest

from bot import process
from tests.e2e.shown import visible_text
from tests.e2e.world import ROOT, Base, World
from tests.integration.chat.hooks import hook

pytestmark = pytest.mark.lab

SCHEMA = json.loads((ROOT / "config/schemas/run.schema.json").read_text(encoding="utf-8"))
PLAIN = "FROM {base}\nHEALTHCHECK CMD true\nCMD sleep 600\n"


def plain(base: Base) -> str:
    return PLAIN.format(base=base.pinned)


def test_an_update_becomes_a_pull_request_whose_diff_is_the_from_line(world: World) -> None:
    base = world.base()
    path = world.project({"Dockerfile": plain(base)})
    base.move()

    ended = world.run()

    assert ended.code == 0, ended.err
    jsonschema.validate(ended.document, SCHEMA)
    (update,) = ended.document["updates"]
    assert (update["from"], update["to"]) == (base.pinned, f"{base.name}@{base.fresh}")
    assert (update["level"], update["verdict"]) == ("health", "pass")
    (branch,) = world.branches(path)
    before = plain(base).encode()
    after = world.git(path, "show", f"{branch}:Dockerfile").encode()
    assert after == before.replace(base.stale.encode(), base.fresh.encode())
    assert world.git(path, "diff", "--name-only", "main", branch).split() == ["Dockerfile"]
    assert world.git(path, "status", "--porcelain") == ""


def test_a_run_that_is_asked_to_tell_tells_what_is_new_once(world: World) -> None:
    base = world.base()
    world.project({"Dockerfile": plain(base)})
    base.move()

    with hook() as told:
        world.settings = {"notifications": {"to": [{"env": "TELL"}]}}
        env = world.environment(TELL=told.url)
        unasked = world.run("--only", "Dockerfile", env=world.environment())
        ended = [world.run("--notify", env=env) for _ in range(2)]

    assert [one.code for one in (unasked, *ended)] == [0, 0, 0], ended[0].err
    (message,) = told.got
    assert message["title"].endswith("1 pull request")
    assert message["message"].startswith("pass · shop: ")


def test_the_numbers_in_the_body_are_trivys_own_and_the_layers_own(world: World) -> None:
    base = world.base()
    world.project({"Dockerfile": plain(base)})
    base.move()

    (update,) = world.run().document["updates"]

    stale, fresh = (trivy(world, reference) for reference in both(base))
    assert update["vulnerabilities"]["before"] == counts(stale)
    assert update["vulnerabilities"]["after"] == counts(fresh)
    gone = identities(stale) - identities(fresh)
    assert {(f["id"], f["package"]) for f in update["vulnerabilities"]["fixed"]} == gone
    assert {f["cause"] for f in update["vulnerabilities"]["fixed"]} == {"base"}
    body = world.pages()[0].read_text(encoding="utf-8")
    critical, high = counts(stale)["CRITICAL"], counts(stale)["HIGH"]
    assert f"| Critical / High | {critical} / {high} | 0 / 0 |" in body
    assert f"Fixed: {len(gone)} ({len(gone)} by the base)" in body
    assert f"{update['size']['after'] / 1e6:.1f} MB" in body
    assert "Builds were kept from loopback, private and link-local addresses" in body


def test_what_an_unpinned_install_brings_is_a_rebuild_not_the_base(world: World) -> None:
    base = world.base()
    install = "RUN apt-get update && apt-get install -y --no-install-recommends curl\n"
    world.project({"Dockerfile": f"FROM {base.pinned}\n{install}CMD sleep 600\n"})
    base.move()

    ended = world.run()

    (update,) = ended.document["updates"]
    assert update["level"] == "health", ended.err
    fixed = update["vulnerabilities"]["fixed"]
    by_base = {(one["id"], one["package"]) for one in fixed if one["cause"] == "base"}
    by_rebuild = {(one["id"], one["package"]) for one in fixed if one["cause"] == "rebuild"}
    assert by_base == base_fixes(world, base)
    assert "libssl3" in {package for _, package in by_rebuild}
    assert len(by_base) + len(by_rebuild) == len(fixed)


def test_a_second_run_with_nothing_new_asks_one_head_and_writes_nothing(world: World) -> None:
    base = world.base()
    path = world.project({"Dockerfile": plain(base), "copy/Dockerfile": plain(base)})
    base.move()
    world.run()
    before = snapshot(world, path)

    ended = world.run()

    assert ended.document["requests"] == {"HEAD": 1, "GET": 0}
    assert ended.document["attempt"] == 2
    assert snapshot(world, path) == before
    assert len(ended.document["updates"]) == 2


def test_a_pull_request_that_a_person_closed_stays_closed_for_that_digest(world: World) -> None:
    base = world.base()
    path = world.project({"Dockerfile": plain(base)})
    base.move()
    world.run()
    (branch,) = world.branches(path)
    world.git(path, "branch", "-D", branch)

    ended = world.run()

    assert world.branches(path) == []
    assert ended.document["updates"] == []
    assert "closed" in ended.document["waiting"][0]["reason"]


def test_a_merged_update_is_current_and_moves_the_baseline(world: World) -> None:
    base = world.base()
    path = world.project({"Dockerfile": plain(base)})
    base.move()
    first = world.run().document["updates"][0]
    world.git(path, "merge", "-q", "--squash", world.branches(path)[0])
    world.commit(path, "Merged by hand")

    ended = world.run()

    assert ended.document["updates"] == []
    assert ended.document["current"] == 1
    with sqlite3.connect(world.state / "refit.sqlite3") as store:
        rows = store.execute("select size, digest from baselines").fetchall()
    assert rows == [(first["size"]["after"], f"{base.name}@{base.fresh}")]


def test_an_unpinned_image_is_pinned_to_what_it_gets_already(world: World) -> None:
    base = world.base()
    path = world.project({"Dockerfile": f"FROM {base.name}\nCMD sleep 600\n"})

    (update,) = world.run().document["updates"]

    assert update["to"] == base.pinned
    assert update["vulnerabilities"]["fixed"] == []
    assert world.git(path, "show", f"{world.branches(path)[0]}:Dockerfile").startswith(
        f"FROM {base.pinned}\n"
    )
    assert "Pins the image you already get" in (page := visible_text(world.pages()[0]))
    assert "Nothing to compare with: a pin freezes what is built already." in page


def trivy(world: World, reference: str) -> list[dict[str, str]]:
    """What Trivy itself finds in an image, asked by hand."""
    binary = Path(sys.executable).parent / "trivy"
    report = world.folder / "by-hand.json"
    cache = world.folder / "by-hand"
    cache.mkdir(exist_ok=True)
    if not (cache / "db").exists():
        (cache / "db").symlink_to(world.lab.trivy_cache / "db")
    process.run(
        [
            *(binary, "image", "--cache-dir", cache, "--skip-db-update", "--offline-scan"),
            *("--scanners", "vuln", "--image-src", "remote", "--insecure"),
            *("--format", "json", "-o", report, reference),
        ],
        timeout=120,
    )
    results = json.loads(report.read_text(encoding="utf-8")).get("Results", [])
    return [vulnerability for result in results for vulnerability in result.get("Vulnerabilities", [])]


def counts(found: list[dict[str, str]]) -> dict[str, int]:
    severities = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "UNKNOWN")
    return {severity: sum(v["Severity"] == severity for v in found) for severity in severities}


def base_fixes(world: World, base: Base) -> set[tuple[str, str]]:
    """What the base alone fixes, by Trivy asked by hand on both base images."""
    stale, fresh = (identities(trivy(world, reference)) for reference in both(base))
    return stale - fresh


def both(base: Base) -> tuple[str, str]:
    name = base.name.rpartition(":")[0]
    return f"{name}@{base.stale}", f"{name}@{base.fresh}"


def identities(found: list[dict[str, str]]) -> set[tuple[str, str]]:
    return {(vulnerability["VulnerabilityID"], vulnerability["PkgName"]) for vulnerability in found}


def snapshot(world: World, path: Path) -> tuple[object, ...]:
    """Everything a forge would show: refs of the project, pages and their times."""
    refs = world.git(path, "for-each-ref", "--format=%(refname) %(objectname)")
    return refs, [(page.name, page.read_bytes(), page.stat().st_mtime_ns) for page in world.pages()]
