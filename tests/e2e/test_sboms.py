"""`refit rescan --sboms`, the real process: what became known, told from kept SBOMs with no engine."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.e2e.machines import NEVER
from tests.e2e.serving import PLAIN, serving
from tests.e2e.world import World
from tests.integration.scanner.databases import database

pytestmark = pytest.mark.lab

KNOWN = {"perl": {"CVE-2011-4116": ""}}
LATER = {"perl": {"CVE-2011-4116": "", "CVE-2026-10001": "99"}}
LINK = r"\[([^]]+)\]\(https://refit\.example\.com(/artifacts/sha256:[0-9a-f]{64})\)"
TOKEN = "ghp_" + "0123456789abcdefghij" * 2


def use(world: World, name: str, entries: dict[str, dict[str, str]]) -> None:
    """Let the configuration name another database."""
    cache = database(world.folder / name, entries)
    world.settings["scanner"] = {"database_folder": str(cache), "offline": True}


def test_what_became_known_in_a_built_target_is_told_without_an_engine(world: World) -> None:
    base = world.base()
    world.project({"web/Dockerfile": f"FROM {base.pinned}\nRUN echo built > /here\n"})
    base.move()
    use(world, "first", KNOWN)
    assert world.run().code == 0
    world.settings["builder"] = {"enabled": False}
    use(world, "second", LATER)

    ended = world.refit("rescan", "--sboms")

    assert ended.code == 0, ended.err
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    first, second, *_ = ended.out.splitlines()
    assert first.startswith("shop#web · linux/amd64 · ")
    assert first.endswith("1 high new; 2 known: 1 waiting for base, 1 without a fix")
    assert second.startswith("  new: high CVE-2026-10001 in perl-base ")
    assert ": waiting for base; fixed in Debian since " in second
    assert f"from the SBOM of the build of {today}" in ended.out
    assert "nothing new; 2 known" in world.refit("rescan", "--sboms").out


def test_a_target_that_was_never_built_is_told_by_the_sbom_of_its_base(world: World) -> None:
    base = world.base()
    world.project({"web/Dockerfile": f"FROM {base.pinned}\n"})
    world.settings["builder"] = {"enabled": False}
    use(world, "first", KNOWN)

    ended = world.refit("rescan", "--sboms")

    assert ended.code == 0, ended.err
    assert "1 known: 1 without a fix" in ended.out
    assert "no build of it is at hand" in ended.out


def test_the_pull_request_tells_secrets_and_names_what_is_kept(world: World) -> None:
    base = world.base()
    world.project(
        {
            "web/Dockerfile": f"FROM {base.pinned}\nCOPY token.txt /app/\n",
            "web/token.txt": f"token = {TOKEN}\n",
        }
    )
    world.settings["artifacts"] = {
        "location": str(world.folder / "kept"),
        "link": "https://refit.example.com/artifacts/{digest}",
    }
    base.move()

    ended = world.run()

    (page,) = world.pages()
    text = page.read_text(encoding="utf-8")
    assert "Secrets in the new image: 1 critical" in text
    assert "in `/app/token.txt:1`" in text
    assert "[SBOM (CycloneDX)](https://refit.example.com/artifacts/sha256:" in text
    assert "Config of the new image: " in text
    assert everywhere(world, TOKEN) == []
    (update,) = ended.document["updates"]
    assert [one["path"] for one in update["exposure"]["secrets"]] == ["/app/token.txt"]
    (sbom,) = [one for one in update["artifacts"] if one["kind"] == "sbom"]
    kept = world.folder / "kept" / "sha256" / sbom["digest"][7:9] / sbom["digest"][7:]
    assert json.loads(kept.read_bytes())["bomFormat"] == "CycloneDX"


def test_what_a_pull_request_links_to_is_opened_by_serve(world: World) -> None:
    base = world.base()
    world.project({"web/Dockerfile": PLAIN.format(base=base.pinned)})
    base.move()
    use(world, "first", KNOWN)
    link = {"link": "https://refit.example.com/artifacts/{digest}"}
    world.settings |= {"artifacts": link, "schedule": NEVER}
    assert world.run().code == 0
    (page,) = world.pages()
    linked = re.findall(LINK, page.read_text(encoding="utf-8"))

    with serving(world) as served:
        documents = {name: served.get(path).json() for name, path in linked}
        assert served.get("/artifacts/sha256:" + "0" * 64).status_code == 404

    assert documents["SBOM (CycloneDX)"]["bomFormat"] == "CycloneDX"
    assert documents["report (SARIF)"]["version"] == "2.1.0"
    assert {"perl-base"} < {one["name"] for one in documents["SBOM (CycloneDX)"]["components"]}


def everywhere(world: World, text: str) -> list[Path]:
    """Files of the state and the artifacts that hold a text."""
    folders = (world.state, world.folder / "kept")
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if text.encode() in path.read_bytes()]
