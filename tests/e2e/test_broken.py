"""Broken Dockerfiles and images, all in one project and one run: each says what is wrong."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from deploy.lab import Lab
from tests.e2e.shown import visible_text
from tests.e2e.world import Base, Ended, World

pytestmark = pytest.mark.lab

SLEEP: Final = 'CMD ["sleep", "60"]'
# perl-base is older on the stale base than on the fresh one.
OLD: Final = "dpkg --compare-versions $(dpkg-query -W -f='${Version}' perl-base) lt 5.36.0-7+deb12u4"
QUICK: Final = {"health": {"seconds": 6, "memory": "64 MiB"}}
BRIEF: Final = {"health": {"seconds": 1}}  # long enough for an image that has no HEALTHCHECK
GONE: Final = "sha256:" + "0" * 64
SECONDS: Final = 30


@dataclass(frozen=True)
class Case:
    """A Dockerfile that is broken in one way, and what a reader is told of it.

    Attributes:
        lines: After `FROM {base}`.
        verdict: Of its update.
        level: That its proof reaches.
        reason: Of its verdict, in the JSON document and in the pull request alike.
        headline: Words of the first line of its pull request.
        log: What its pull request shows of what failed.
        base: What it is `FROM`.
        settings: Of its target.
    """

    lines: tuple[str, ...]
    verdict: str
    level: str
    reason: str
    headline: str
    log: str = ""
    base: str = "{base}"
    settings: Mapping[str, Any] | None = None


BOTH: Final = "the target does not build before this update either: "
NO_HEALTHCHECK: Final = (
    "the new image started and ran on, and no more could be asked: it has no HEALTHCHECK; "
    "add one to the Dockerfile, or set health.command"
)
CASES: Final = {
    "does-not-build": Case(
        ("RUN seq 70 >&2; echo the reason >&2; exit 7",),
        "warn",
        "base",
        f"{BOTH}[2/2] RUN seq 70 >&2; echo the reason >&2; exit 7 failed with exit code 7",
        "same size; not built.",
        log="the reason",
    ),
    "builds-only-before": Case(
        (f"RUN echo too new >&2; {OLD}", SLEEP),
        "block",
        "base",
        "it does not build on the new base, and did on the old one: [2/2] RUN echo too new",
        "It does not build on the new base, and did on the old one: [2/2] RUN echo too new",
        log="too new",
    ),
    "builds-only-after": Case(
        (f"RUN ! {OLD}", SLEEP),
        "pass",
        "health",
        f"the update repairs the build: it does not build on the old base: [2/2] RUN ! {OLD} failed",
        "Repairs the build; started.",
    ),
    "hangs": Case(
        ("RUN echo hi; sleep 300",),
        "warn",
        "base",
        f"{BOTH}the build did not end within {SECONDS} s (builder.seconds) at [2/2] RUN echo hi; sleep 300",
        "not built.",
        log="hi",
    ),
    "wants-a-private-mirror": Case(
        ("RUN timeout 9 bash -c '</dev/tcp/10.11.12.13/443'",),
        "warn",
        "base",
        "failed with exit code 1; meanwhile builder.closed_network kept builds from 10.11.12.13:443 "
        "(see builder.reachable)",
        "not built.",
        log="Connection refused",
    ),
    "eats-memory": Case(
        ("RUN tail /dev/zero",),
        "warn",
        "base",
        "of memory, more than the 300 MB it may use (builder.memory)",
        "not built.",
    ),
    "writes-without-end": Case(
        ("RUN yes | head -c 99999999; exit 1",),
        "warn",
        "base",
        f"{BOTH}[2/2] RUN yes | head -c 99999999; exit 1 failed with exit code 1",
        "not built.",
        log="y y y y",
    ),
    "no-room": Case(
        ("RUN head -c 200MB /dev/zero >/dev/shm/x",),
        "warn",
        "base",
        "not built this time: the engine's disk is full at [2/2] RUN head -c 200MB /dev/zero >/dev/shm/x: ",
        "not built.",
    ),
    "never-healthy": Case(
        (f"HEALTHCHECK CMD {OLD}", SLEEP),
        "block",
        "health",
        "healthy before, unhealthy after (not healthy within 6 s; the last probe said: exit code 1)",
        "same size; unhealthy.",
        log="not healthy within 6 s; the last probe said: exit code 1",
        settings=QUICK,
    ),
    "unhealthy-on-both": Case(
        ("HEALTHCHECK CMD echo no database >&2; false", 'CMD ["sh", "-c", "echo listening; sleep 60"]'),
        "warn",
        "health",
        "not comparable: unhealthy before and unhealthy after (not healthy within 6 s; "
        "the last probe said: exit code 1 no database); if it needs other services, name them in health.with",
        "unhealthy.",
        log="listening",
        settings=QUICK,
    ),
    "exits": Case(
        ('CMD ["sh", "-c", "echo no settings; exit 3"]',),
        "warn",
        "health",
        "not comparable: exited before and exited after (ended with exit code 3); "
        "if it needs settings or other services, give them in health.env and health.with",
        "exited.",
        log="no settings",
        settings=QUICK,
    ),
    "no-healthcheck": Case((SLEEP,), "pass", "health", NO_HEALTHCHECK, "started."),
    "huge": Case(
        ("RUN head -c 50000000 /dev/zero > /huge", SLEEP),
        "block",
        "health",
        "127.6 MB is over the budget of 100.0 MB",
        "same size; started.",
        settings={"budget": "100 MB"},
    ),
    "unknown-distribution": Case(
        (),
        "warn",
        "base",
        "vulnerabilities unknown: the scanner has no data for an unknown distribution",
        "Same size; not built.",
        base="{strange}",
        settings={"build": False},
    ),
    "old-digest-gone": Case(
        (SLEEP,),
        "warn",
        "health",
        "nothing to compare with: the old image is gone: {registry} has no {repository}",
        "Started.",
        base=f"{{name}}@{GONE}",
    ),
    "pin": Case(
        (SLEEP,),
        "pass",
        "health",
        "nothing to compare with: a pin freezes what is built already",
        "Pins the image you already get; started.",
        base="{name}",
    ),
    "no-such-stage": Case(
        ("COPY --from=127.0.0.1:9/x:1 / /",),
        "warn",
        "base",
        "not built this time: the engine could not get 127.0.0.1:9/x:1",
        "not built.",
    ),
}
FAILED: Final = {
    # A use of its own, which fails beside the target's other one.
    "no-such-stage": "cannot connect to 127.0.0.1:9",
    "unreadable": "Trivy could not scan",
}


@dataclass(frozen=True)
class Run:
    """One run over all of them.

    Attributes:
        world: Where it ran.
        ended: The run, with its JSON document.
        pages: What a reader sees of each target's pull request before unfolding anything.
        places: What stands for `{base}`, `{name}` and others in a case, by target.
    """

    world: World
    ended: Ended
    pages: Mapping[str, str]
    places: Mapping[str, Mapping[str, str]]

    def update(self, name: str) -> dict[str, Any]:
        """What the document says of one target's update."""
        found = [one for one in self.ended.document["updates"] if one["target"] == name]
        assert found, self.ended.document["failed"]
        (update,) = found
        return dict(update)

    def said(self, name: str, text: str) -> str:
        """Expected words of a case, with its base put in."""
        return text.format_map(self.places[name]) if "{registry}" in text else text


@pytest.fixture(scope="module")
def done(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run over all of them; each has a base of its own, and so a pull request of its own."""
    world = World(lab, tmp_path_factory.mktemp("broken"))
    strange, unreadable = moving(lab, "strange", broken=False), moving(lab, "unreadable", broken=True)
    bases = {name: world.base() for name in (*CASES, "wrong-platform")}
    places = {name: place(base) | {"strange": strange} for name, base in bases.items()}
    froms = {name: case.base.format_map(places[name]) for name, case in CASES.items()}
    froms |= {"wrong-platform": bases["wrong-platform"].pinned, "unreadable": unreadable}
    lines = {name: CASES[name].lines if name in CASES else () for name in froms}
    world.project(
        {f"{name}/Dockerfile": "\n".join((f"FROM {froms[name]}", *lines[name], "")) for name in froms},
        targets=[target(name) for name in froms],
    )
    world.settings |= {
        "builder": {"docker_host": lab.docker_host, "seconds": SECONDS, "memory": "300 MB"},
        "pull_requests": {"max_new_per_project": 100},
        "rules": [{"minimum_age": "0 s", "allow": "digest"}],
    }
    for base in bases.values():
        base.move()
    return Run(world, world.run(), pages(world), places)


def target(name: str) -> dict[str, Any]:
    settings = {"platforms": ["linux/arm64"]} if name == "wrong-platform" else {}
    wanted = (CASES[name].settings if name in CASES else None) or settings
    return {"name": name, "dockerfile": f"{name}/Dockerfile", **BRIEF, **wanted}


def place(base: Base) -> dict[str, str]:
    return {
        "base": base.pinned, "name": base.name, "registry": base.lab.registry, "repository": base.repository
    }  # fmt: skip


def pages(world: World) -> dict[str, str]:
    """What is seen of each pull request, by target."""
    return {title_of(page): visible_text(page) for page in world.pages()}


def title_of(page: Path) -> str:
    """The target that the title of a pull request ends in."""
    title = page.read_text(encoding="utf-8").partition("\n")[0]
    return title.rpartition(" in ")[2].partition(" (")[0]


def moving(lab: Lab, name: str, *, broken: bool) -> str:
    """An image of a distribution nobody knows, pinned to an old digest; the new one may lack its layer."""
    release = {"etc/os-release": b'ID=strange\nVERSION_ID=1\nPRETTY_NAME="Strange"\n', "name": name.encode()}
    repository = f"broken/{name}"
    old = lab.push_image(repository, "1", layers=[release])
    new = lab.push_image(repository, "1", layers=[release | {"new": b"x"}])
    if broken:
        forget_layer(lab, repository, new)
    return f"{lab.registry}/{repository}:1@{old}"


def forget_layer(lab: Lab, repository: str, digest: str) -> None:
    place = f"http://{lab.registry}/v2/{repository}"
    index = got(f"{place}/manifests/{digest}")
    manifest = got(f"{place}/manifests/{index['manifests'][0]['digest']}")
    layer = f"{place}/blobs/{manifest['layers'][0]['digest']}"
    urllib.request.urlopen(urllib.request.Request(layer, method="DELETE"), timeout=120).close()  # noqa: S310 - the lab's


def got(url: str) -> dict[str, Any]:
    kinds = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"
    asked = urllib.request.Request(url, headers={"Accept": kinds})  # noqa: S310 - the lab's
    with urllib.request.urlopen(asked, timeout=120) as answer:  # noqa: S310 - likewise
        document: dict[str, Any] = json.load(answer)
        return document


@pytest.mark.parametrize("name", CASES)
def test_what_is_broken_says_what_and_how_far_its_proof_went(done: Run, name: str) -> None:
    case, update = CASES[name], done.update(name)
    assert (update["verdict"], update["level"]) == (case.verdict, case.level), update["reasons"]
    assert any(done.said(name, case.reason) in one for one in update["reasons"]), update["reasons"]


@pytest.mark.parametrize("name", CASES)
def test_the_reviewer_of_what_is_broken_is_told_so_before_unfolding_anything(done: Run, name: str) -> None:
    case, page = CASES[name], done.pages[name]
    headline, reason = case.headline, done.said(name, case.reason)
    assert f"{case.verdict.upper()} by your policy. " in page
    assert headline in page
    assert reason.lower() in page.lower()
    assert case.log in page


@pytest.mark.parametrize("name", ["does-not-build", "never-healthy", "no-healthcheck"])
def test_who_stands_at_the_terminal_is_told_the_same(done: Run, name: str) -> None:
    terminal = done.world.refit("run", "--only", name).out
    assert CASES[name].reason in " ".join(terminal.split())


@pytest.mark.parametrize("name", FAILED)
def test_what_cannot_be_measured_at_all_is_a_failure_with_a_hint(done: Run, name: str) -> None:
    told = [one for one in done.ended.document["failed"] if name in one["target"]]
    assert told, done.ended.document["failed"]
    (failed,) = told
    assert FAILED[name] in failed["error"]
    assert failed["hint"]


def test_an_index_that_lacks_the_platform_is_waited_for(done: Run) -> None:
    (waiting,) = done.ended.document["waiting"]
    assert waiting["target"] == "wrong-platform"
    assert "the index still lacks linux/arm64" in waiting["reason"]


def test_no_failure_stops_another(done: Run) -> None:
    assert done.ended.code == 3, done.ended.err
    assert len(done.ended.document["updates"]) == len(CASES) == len(done.pages)
    assert len(done.ended.document["failed"]) == len(FAILED)


def test_the_last_fifty_lines_of_the_failing_step_can_be_unfolded(done: Run) -> None:
    (page,) = [page for page in done.world.pages() if title_of(page) == "does-not-build"]
    (log,) = re.findall(r"The last 50 lines</summary>\s+```text\n(.*?)\n```", page.read_text(), re.DOTALL)
    assert log.splitlines() == [*map(str, range(22, 71)), "the reason"]


def test_nothing_that_was_made_stays(done: Run) -> None:
    assert done.world.leftovers() == []


def test_what_exists_once_is_measured_on_that_side_only(done: Run) -> None:
    for name in ("builds-only-after", "old-digest-gone", "pin"):
        update = done.update(name)
        assert update["build"]["before"] is None
        assert update["build"]["after"] > 0
        assert (update["health"]["before"], update["health"]["after"]) == (None, "started")
