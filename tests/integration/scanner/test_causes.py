"""Each difference is put down to what brought it, proved by the layer that holds the package."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from bot.cycle.compare import KnownBase, compare
from bot.model.vulnerability import Cause, Comparison, Scan
from tests.integration.scanner.bench import Bench

pytestmark = pytest.mark.lab

INSTALL = "RUN apt-get update && apt-get install -y --no-install-recommends curl"
CACHED = (
    "RUN --mount=type=cache,target=/var/cache/apt --mount=type=cache,target=/var/lib/apt "
    "apt-get update && apt-get install -y --no-install-recommends curl"
)


@dataclass(frozen=True)
class Proof:
    """A comparison, and the four scans that it was made of."""

    found: Comparison
    before: Scan
    after: Scan
    old: Scan
    new: Scan

    def causes(self, names: Iterable[str]) -> set[Cause]:
        """What changed these packages, and what fixed or introduced something in them."""
        wanted = set(names)
        changed = {one.cause for one in self.found.packages if one.name in wanted}
        findings = (*self.found.fixed, *self.found.introduced)
        judged = {one.cause for one in findings if one.vulnerability.package.name in wanted}
        return {cause for cause in changed | judged if cause is not None}

    def changed(self) -> set[str]:
        return {one.name for one in self.found.packages}

    def told(self) -> dict[str, Cause]:
        """What each change of a package is put down to."""
        return {one.name: one.cause for one in self.found.packages}

    def by_layer(self) -> dict[str, Cause]:
        """The same, read from nothing but the layer that holds the package in the new image."""
        held = {one.name: one.diff_id in self.new.diff_ids for one in self.after.packages}
        return {name: Cause.BASE if held[name] else Cause.REBUILD for name in self.changed()}

    def held_by_base(self, names: Iterable[str]) -> set[bool]:
        """Whether the layers of the new base hold these packages in the new image."""
        wanted = set(names)
        return {one.diff_id in self.new.diff_ids for one in self.after.packages if one.name in wanted}


def proved(bench: Bench, old: str, new: str, *lines: str, name: str) -> Proof:
    """Build on both bases, scan all four images, and compare; `{base}` stands for the base."""
    bases = bench.remote(old), bench.remote(new)
    texts = lines if any("{base}" in line for line in lines) else ("FROM {base}", *lines)
    images = [
        bench.image(*(line.format(base=base) for line in texts), name=f"{name}-{side}")
        for side, base in (("before", old), ("after", new))
    ]
    before, after = (bench.scan(image) for image in images)
    found = compare(before, after, *(KnownBase(base.diff_ids, base) for base in bases))
    return Proof(found, before, after, *bases)


@pytest.fixture(scope="module")
def wider(shared: Bench) -> str:
    """The fresh base with one package more."""
    return shared.pushed(f"FROM {shared.fresh}", INSTALL, name="wider")


def names(scan: Scan) -> set[str]:
    return {package.name for package in scan.packages}


def test_what_the_base_brings_is_put_down_to_the_base(shared: Bench) -> None:
    proof = proved(shared, shared.stale, shared.fresh, "RUN mkdir /made", name="plain")
    assert proof.told() == proof.by_layer()
    assert set(proof.told().values()) == {Cause.BASE}
    assert {one.cause for one in proof.found.fixed} == {Cause.BASE}
    gone = len(proof.old.vulnerabilities) - len(proof.new.vulnerabilities)
    assert len(proof.found.fixed) == gone > 0


@pytest.mark.parametrize(
    "install",
    [
        pytest.param(INSTALL, id="unpinned apt-get"),
        pytest.param(CACHED, id="apt-get with cache mounts", marks=pytest.mark.long),
    ],
)
def test_what_an_unpinned_install_brings_is_put_down_to_the_rebuild(shared: Bench, install: str) -> None:
    """The old base's own packages are brought up to date by the install: that is no doing of the new base."""
    name = "cached" if "mount" in install else "unpinned"
    proof = proved(shared, shared.stale, shared.fresh, install, name=name)
    own = names(proof.after) - names(proof.old) - names(proof.new)
    assert proof.told() == proof.by_layer()
    assert "libssl3" in own & proof.changed()
    assert proof.held_by_base(own) == {False}
    assert proof.causes(own) == {Cause.REBUILD}
    by_base = {one.vulnerability.identity for one in proof.found.fixed if one.cause is Cause.BASE}
    old = {found.identity for found in proof.before.vulnerabilities}
    gone = {v.identity for v in proof.old.vulnerabilities} - {v.identity for v in proof.new.vulnerabilities}
    assert by_base == gone & old


def test_a_package_that_another_stage_installed_is_put_down_to_the_rebuild(shared: Bench) -> None:
    """Its files and its record are copied out of a stage: the layer that holds it is the COPY's."""
    lines = (
        "FROM {base} AS tools",
        INSTALL,
        "RUN mkdir -p /out/status.d && dpkg-query -s libssl3 > /out/status.d/libssl3",
        "RUN cp /usr/lib/*/libssl.so.3 /out/",
        "FROM {base}",
        "COPY --from=tools /out/libssl.so.3 /usr/local/lib/",
        "COPY --from=tools /out/status.d /var/lib/dpkg/status.d",
    )
    proof = proved(shared, shared.stale, shared.fresh, *lines, name="copied")
    assert proof.held_by_base({"libssl3"}) == {False}
    assert proof.told() == proof.by_layer()
    assert proof.told()["libssl3"] is Cause.REBUILD
    assert proof.causes({"libssl3"}) == {Cause.REBUILD}
    assert proof.causes(proof.changed() - {"libssl3"}) == {Cause.BASE}


def test_packages_copied_whole_out_of_the_moved_base_are_put_down_to_the_base(shared: Bench) -> None:
    """No layer of the image is the base's, and yet nothing but the base changed them."""
    lines = (
        "FROM {base} AS system",
        "FROM scratch",
        "COPY --from=system /etc/os-release /etc/debian_version /etc/",
        "COPY --from=system /usr/lib/os-release /usr/lib/",
        "COPY --from=system /var/lib/dpkg /var/lib/dpkg",
    )
    proof = proved(shared, shared.stale, shared.fresh, *lines, name="whole")
    assert proof.changed()
    assert proof.held_by_base(proof.changed()) == {False}
    assert proof.causes(proof.changed()) == {Cause.BASE}


def test_a_package_that_the_new_base_adds_is_put_down_to_the_base(shared: Bench, wider: str) -> None:
    proof = proved(shared, shared.fresh, wider, "RUN mkdir /made", name="adds")
    added = names(proof.new) - names(proof.old)
    assert {"curl", "libcurl4"} <= added == proof.changed()
    assert proof.told() == proof.by_layer() == dict.fromkeys(added, Cause.BASE)
    assert {one.cause for one in proof.found.introduced} <= {Cause.BASE}


@pytest.mark.long
def test_a_package_that_moves_from_the_dockerfile_into_the_base_changes_nothing(
    shared: Bench, wider: str
) -> None:
    """The same version, installed by the Dockerfile before and by the base now."""
    proof = proved(shared, shared.fresh, wider, INSTALL, name="moves")
    assert proof.changed() == set()
    assert proof.held_by_base({"curl"}) == {True}
    assert (proof.found.fixed, proof.found.introduced) == ((), ())


def distribution(version: str) -> str:
    """A line of a Dockerfile that puts a Python distribution into an image as its package manager would."""
    folder = f"/usr/lib/python3/dist-packages/made_up-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\\nName: made-up\\nVersion: {version}\\n"
    return f"RUN mkdir -p {folder} && printf '{metadata}' > {folder}/METADATA"


def test_what_a_stage_on_the_moved_base_puts_into_an_environment_is_put_down_to_the_base(
    shared: Bench,
) -> None:
    """As `pip` in a virtual environment: it has the base's version, at a path that the base does not have."""
    old, new = (
        shared.pushed(f"FROM {shared.fresh}", distribution(version), name=f"python-{version[0]}")
        for version in ("1.0", "2.0")
    )
    lines = (
        "FROM {base} AS build",
        "RUN mkdir -p /venv/lib && cp -r /usr/lib/python3/dist-packages/made_up-* /venv/lib/",
        f"FROM {shared.fresh}",
        "COPY --from=build /venv /venv",
    )
    proof = proved(shared, old, new, *lines, name="venv")
    (change,) = proof.found.packages
    assert (change.name, change.before, change.after) == ("made-up", "1.0", "2.0")
    assert change.path.startswith("venv/")
    assert proof.held_by_base({"made-up"}) == {False}
    assert change.cause is Cause.BASE
