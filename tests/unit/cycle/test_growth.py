"""Where an image grew over months is told by the evidence that measured it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bot.cycle.growth import growth
from bot.model.evidence import Build, Layer, PathSize, Side, SideName
from bot.model.measurement import Measurement
from bot.model.vulnerability import Package
from bot.ports import Store
from bot.report.size.values import Grown
from bot.store.sql import open_store, sqlite_url
from tests.unit.report import cases, samples

MB = 1_000_000
COPY = "COPY build /app"


def side(layers: dict[str, int], paths: dict[str, int], *packages: str) -> Side:
    made = tuple(Layer(f"sha256:{name}", size, name) for name, size in layers.items())
    largest = tuple(PathSize(path, size) for path, size in paths.items())
    build = Build("sha256:image", 1.0, (), sum(layers.values()), made, largest=largest)
    known = tuple(Package(name, "1", "debian") for name in packages)
    whole = samples.proved().evidence[0].after
    assert whole is not None
    return replace(whole, scan=replace(whole.scan, packages=known), build=build)


def measured(folder: Path, before: Side, after: Side) -> tuple[Measurement, Measurement, Store]:
    store = open_store(sqlite_url(folder))
    evidence = samples.proved().evidence[0]
    store.save_evidence(replace(evidence, key="spring", after=before))
    store.save_evidence(replace(evidence, key="autumn", before=after))
    then = cases.measurement("2026-03", 10 * MB, evidence="spring", side=SideName.AFTER)
    now = cases.measurement("2026-09", 20 * MB, evidence="autumn", side=SideName.BEFORE)
    return then, now, store


def test_layers_paths_and_new_packages_are_named_the_largest_gain_first(tmp_path: Path) -> None:
    before = side({"base": 70 * MB, COPY: 10 * MB}, {"/app/shop": 9 * MB}, "openssl")
    after = side(
        {"base": 71 * MB, COPY: 14 * MB, "RUN seed": 2 * MB},
        {"/app/shop": 9 * MB, "/app/geo.db": 4 * MB},
        "openssl",
        "curl",
    )
    then, now, store = measured(tmp_path, before, after)

    found = growth(store, then, now)

    assert found is not None
    assert found.layers == (
        Grown(COPY, 10 * MB, 14 * MB),
        Grown("RUN seed", 0, 2 * MB),
        Grown("base", 70 * MB, 71 * MB),
    )
    assert found.paths == (Grown("/app/geo.db", 0, 4 * MB),)
    assert found.packages == ("curl 1",)


def test_where_the_evidence_is_no_longer_kept_nothing_is_said(tmp_path: Path) -> None:
    then, now, store = measured(tmp_path, side({}, {}), side({}, {}))

    assert growth(store, replace(then, evidence="swept away"), now) is None
    assert growth(store, replace(then, evidence=""), now) is None
