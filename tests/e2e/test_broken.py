"""Broken Dockerfiles and images, all in one project and one run: each says what is wrong."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest

from deploy.lab import Lab
from tests.e2e.world import Ended, World

pytestmark = pytest.mark.lab

SLEEP: Final = 'CMD ["sleep", "60"]'
# perl-base is older on the stale base than on the fresh one.
OLD: Final = "dpkg --compare-versions $(dpkg-query -W -f='${Version}' perl-base) lt 5.36.0-7+deb12u4"
QUICK: Final = {"health": {"seconds": 2, "memory": "64 MiB"}}
BRIEF: Final = {"health": {"seconds": 1}}  # long enough for an image that has no HEALTHCHECK
GONE: Final = "sha256:" + "0" * 64
SECONDS: Final = 15


@dataclass(frozen=True)
class Case:
    """A Dockerfile that is broken in one way, and what its outcome is to say.

    Attributes:
        lines: After `FROM {base}`.
        verdict: Of its update.
        level: That its proof reaches.
        reason: Words of the verdict's reasons; empty where there is nothing to say.
        base: What it is `FROM`.
        settings: Of its target.
    """

    lines: tuple[str, ...]
    verdict: str
    level: str
    reason: str = ""
    base: str = "{base}"
    settings: Mapping[str, Any] | None = None


BOTH: Final = "the target does not build before this update either: the target does not build: "
CASES: Final = {
    "does-not-build": Case(("RUN exit 7",), "warn", "base", f"{BOTH}[2/2] RUN exit 7 failed"),
    "builds-only-before": Case(
        (f"RUN {OLD}", SLEEP), "block", "base", "it does not build on the new base, and did on the old one"
    ),
    "builds-only-after": Case((f"RUN ! {OLD}", SLEEP), "pass", "health"),
    "hangs": Case(
        ("RUN sleep 300",), "warn", "base", f"the build did not end within {SECONDS} s at [2/2] RUN sleep 300"
    ),
    "eats-memory": Case(("RUN tail /dev/zero",), "warn", "base", "more than the 0.3 GB it may use"),
    "writes-without-end": Case(("RUN yes | head -c 999999999; exit 1",), "warn", "base", BOTH),
    "full-disk": Case(
        ("RUN head -c 200000000 /dev/zero > /dev/shm/x",), "warn", "base", "failed with exit code 1"
    ),
    "no-such-stage": Case(("COPY --from=127.0.0.1:9/x:1 / /",), "pass", "base"),
    "never-healthy": Case(
        (f"HEALTHCHECK CMD {OLD}", SLEEP),
        "block",
        "health",
        "healthy before, unhealthy after",
        settings=QUICK,
    ),
    "unhealthy-on-both": Case(
        ("HEALTHCHECK CMD false", SLEEP),
        "warn",
        "health",
        "not comparable: unhealthy before and unhealthy after; see health.with",
        settings=QUICK,
    ),
    "exits": Case(
        ('CMD ["false"]',), "warn", "health", "not comparable: exited before and exited after", settings=QUICK
    ),
    "no-healthcheck": Case((SLEEP,), "pass", "health"),
    "huge": Case(
        ("RUN head -c 150000000 /dev/zero > /huge", SLEEP),
        "block",
        "health",
        "is over the budget of 200.0 MB",
        settings={"budget": "200 MB"},
    ),
    "unknown-distribution": Case(
        (), "warn", "base", "vulnerabilities unknown: the scanner has", "{strange}", {"build": False}
    ),
    "old-digest-gone": Case(
        (SLEEP,), "warn", "health", "nothing to compare with: the old image is gone", f"{{name}}@{GONE}"
    ),
    "pin": Case((SLEEP,), "pass", "health", base="{name}"),
}  # fmt: skip
FAILED: Final = {
    # A use of its own, which fails beside the target's other one.
    "no-such-stage": "cannot connect to 127.0.0.1:9",
    "unreadable": "Trivy could not scan",
}


@pytest.fixture(scope="module")
def ended(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """One run over all of them."""
    world = World(lab, tmp_path_factory.mktemp("broken"))
    base = world.base()
    strange, unreadable = moving(lab, "strange", broken=False), moving(lab, "unreadable", broken=True)
    places = {"base": base.pinned, "name": base.name, "strange": strange}
    targets = [
        {"name": name, "dockerfile": f"{name}/Dockerfile", **BRIEF, **(case.settings or {})}
        for name, case in CASES.items()
    ]
    targets += [
        {"name": "wrong-platform", "dockerfile": "wrong-platform/Dockerfile", "platforms": ["linux/arm64"]},
        {"name": "unreadable", "dockerfile": "unreadable/Dockerfile"},
    ]
    files = {
        name: "\n".join((f"FROM {case.base.format(**places)}", *case.lines, ""))
        for name, case in CASES.items()
    }
    files |= {"wrong-platform": f"FROM {base.pinned}\n", "unreadable": f"FROM {unreadable}\n"}
    world.project({f"{name}/Dockerfile": text for name, text in files.items()}, targets=targets)
    world.settings |= {
        "builder": {"docker_host": lab.docker_host, "seconds": SECONDS, "memory": "300 MB"},
        "pull_requests": {"max_new_per_project": 100},
        "rules": [{"minimum_age": "0 s", "allow": "digest"}],
    }
    base.move()
    return world.run()


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
    urllib.request.urlopen(urllib.request.Request(layer, method="DELETE"), timeout=20).close()  # noqa: S310 - the lab's


def got(url: str) -> dict[str, Any]:
    kinds = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"
    asked = urllib.request.Request(url, headers={"Accept": kinds})  # noqa: S310 - the lab's
    with urllib.request.urlopen(asked, timeout=20) as answer:  # noqa: S310 - likewise
        document: dict[str, Any] = json.load(answer)
        return document


@pytest.mark.parametrize("name", CASES)
def test_what_is_broken_says_what_and_how_far_its_proof_went(ended: Ended, name: str) -> None:
    case = CASES[name]
    found = [one for one in ended.document["updates"] if one["target"] == name]
    assert found, ended.document["failed"]
    (update,) = found
    assert (update["verdict"], update["level"]) == (case.verdict, case.level), update["reasons"]
    assert case.reason in " ".join(update["reasons"])


@pytest.mark.parametrize("name", FAILED)
def test_what_cannot_be_measured_at_all_is_a_failure_with_a_hint(ended: Ended, name: str) -> None:
    told = [one for one in ended.document["failed"] if name in one["target"]]
    assert told, ended.document["failed"]
    (failed,) = told
    assert FAILED[name] in failed["error"]
    assert failed["hint"]


def test_an_index_that_lacks_the_platform_is_waited_for(ended: Ended) -> None:
    (waiting,) = ended.document["waiting"]
    assert waiting["target"] == "wrong-platform"
    assert "the index still lacks linux/arm64" in waiting["reason"]


def test_no_failure_stops_another(ended: Ended) -> None:
    assert ended.code == 3, ended.err
    assert len(ended.document["updates"]) == len(CASES)
    assert len(ended.document["failed"]) == len(FAILED)


def test_what_exists_once_is_measured_on_that_side_only(ended: Ended) -> None:
    updates = {one["target"]: one for one in ended.document["updates"]}
    for name in ("builds-only-after", "old-digest-gone", "pin"):
        assert updates[name]["build"]["before"] is None
        assert updates[name]["build"]["after"] > 0
    assert updates["no-healthcheck"]["health"]["after"] == "started"
    assert updates["builds-only-after"]["health"]["after"] == "started"
