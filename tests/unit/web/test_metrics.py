"""/metrics tells what is in the store and what this process counted, as Prometheus reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bot.errors import StoreError
from bot.model.load import Load
from bot.model.measurement import Measurement
from bot.ports import Task
from bot.store.sql import SqlStore, open_store, sqlite_url
from bot.triggers.worker import Worker
from bot.web.metrics import Counted, Metrics, metrics_route
from tests.fakes.registry import FakeRegistry
from tests.unit.cycle.house import FakeClock
from tests.unit.cycle.sbom_world import OPENSSL, World, vulnerability

SEVERITIES = ("critical", "high", "medium", "low")
_NAME = re.compile(r"\brefit_[a-z_]+")
SHOP = ("linux/amd64", "acme/shop")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
POINT = Measurement(
    "acme/shop", "backend", "linux/amd64", NOW, "monthly-2026-11", "debian:12@sha256:a", 80_000_000,
    31_000_000, 4, 12.5, 1, 2, 3, 4, applied=True, pull_seconds=1.5, cache_hit_rate=0.25,
)  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(sqlite_url(tmp_path))
    yield opened
    opened.close()


Told = Mapping[tuple[str, ...], float]


def scrape(store: SqlStore, counted: Counted | None = None, care: Collection[str] = ()) -> Told:
    """Every sample by its name and the values of its labels, in the order of their names."""
    metrics = Metrics(store, FakeClock(), lambda: {"drive": Load(1, 1)}, counted or Counted(), lambda: care)
    answer = TestClient(Starlette(routes=[metrics_route(metrics)])).get("/metrics")
    assert answer.status_code == 200
    samples = [one for family in text_string_to_metric_families(answer.text) for one in family.samples]
    return {(one.name, *one.labels.values()): one.value for one in samples}


def test_cycles_and_uses_are_told_from_the_newest_results(store: SqlStore) -> None:
    result = {
        "updates": [{}, {}],
        "waiting": [{}],
        "abandoned": [],
        "skipped": [{}],
        "failed": [],
        "current": 7,
    }
    store.finish(store.begin("monthly-2026-11", NOW), json.dumps(result), NOW)
    store.begin("observe-2026-11-24", NOW)

    told = scrape(store)

    assert told["refit_cycles", "monthly", "done"] == 1
    assert told["refit_cycles", "observe", "running"] == 1
    assert told["refit_last_success_timestamp_seconds", "monthly"] == NOW.timestamp()
    assert ("refit_last_success_timestamp_seconds", "observe") not in told
    assert told["refit_uses", "update"] == 2
    assert told["refit_uses", "current"] == 7
    assert told["refit_uses", "failed"] == 0
    assert told["refit_queue_depth",] == 2
    assert told["refit_queue_jobs", "drive", "waiting"] == 1


def test_targets_are_told_as_they_were_measured_last(store: SqlStore) -> None:
    store.save_measurement(POINT)
    where = ("linux/amd64", "acme/shop", "backend")

    told = scrape(store)

    found = {
        one: told["refit_vulnerabilities", "linux/amd64", "acme/shop", one, "backend"] for one in SEVERITIES
    }
    assert found == dict(zip(SEVERITIES, (1, 2, 3, 4), strict=True))
    assert told["refit_image_size_bytes", *where] == 80_000_000
    assert told["refit_image_pushed_bytes", *where] == 31_000_000
    assert told["refit_build_seconds", *where] == 12.5
    assert told["refit_pull_seconds", *where] == 1.5
    assert told["refit_cache_hit_ratio", *where] == 0.25
    assert ("refit_health_seconds", *where) not in told


def test_what_is_only_proposed_or_no_longer_under_care_is_not_told(store: SqlStore) -> None:
    store.save_measurement(POINT)
    store.save_measurement(
        replace(POINT, base="debian:12@sha256:b", critical=0, applied=False, at=NOW + timedelta(hours=1))
    )
    store.save_measurement(replace(POINT, target="gone"))

    told = scrape(store, care={"acme/shop#backend"})

    assert told["refit_vulnerabilities", "linux/amd64", "acme/shop", "critical", "backend"] == 1
    assert not [one for one in told if "gone" in one]


def test_the_daily_rescan_tells_how_vulnerable_a_target_is_today(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.house.run()
    worker = Worker(lambda _: nullcontext(world.house.parts()))
    told = []
    for day, found in enumerate(([], [vulnerability(OPENSSL)])):
        world.image += found
        world.database()
        worker(Task("sboms", {"period": f"sboms-{day}"}))
        told.append(scrape(world.house.store)["refit_vulnerabilities", *SHOP, "high", "shop"])
    world.house.store.close()

    assert told == [0, 1]


def test_a_run_for_one_target_is_no_success_of_the_month(store: SqlStore) -> None:
    store.finish(store.begin("monthly-2026-10", NOW), json.dumps({"current": 9}), NOW)
    later = NOW + timedelta(days=30)
    store.finish(store.begin("monthly-2026-11-only-shop", later), json.dumps({"current": 1}), later)

    told = scrape(store)

    assert told["refit_last_success_timestamp_seconds", "monthly"] == NOW.timestamp()
    assert told["refit_uses", "current"] == 9


def test_requests_and_quota_add_up_over_tasks(store: SqlStore) -> None:
    counted, registry = Counted(), FakeRegistry()
    registry.asked += ["HEAD a", "HEAD b"]
    registry.left = {"docker.io": "98/100", "ghcr.io": "unlimited"}

    counted.add(registry)
    counted.add(registry)
    told = scrape(store, counted)

    assert told["refit_registry_requests_total", "docker.io", "200"] == 4
    assert told["refit_registry_quota_left", "docker.io"] == 98
    assert told["refit_registry_quota_limit", "docker.io"] == 100
    assert ("refit_registry_quota_left", "ghcr.io") not in told


def test_a_store_that_does_not_answer_is_no_empty_page(store: SqlStore) -> None:
    def broken() -> dict[str, Load]:
        raise StoreError("the queue cannot be used")

    route = metrics_route(Metrics(store, FakeClock(), broken, Counted(), tuple))
    answer = TestClient(Starlette(routes=[route])).get("/metrics")

    assert (answer.status_code, answer.text) == (503, "the queue cannot be used\n")


def test_no_label_is_one_that_prometheus_gives_itself(store: SqlStore) -> None:
    store.finish(store.begin("monthly-2026-11", NOW), "{}", NOW)
    store.save_measurement(POINT)
    metrics = Metrics(store, FakeClock(), lambda: {"drive": Load(1, 1)}, Counted(), tuple)

    labels = {label for family in metrics.collect() for one in family.samples for label in one.labels}

    assert labels
    assert not labels & {"job", "instance"}


def test_the_alerts_ask_for_nothing_that_is_not_told(store: SqlStore) -> None:
    file = Path(__file__).parents[3] / "deploy" / "prometheus" / "alerts.yaml"
    groups = YAML(typ="safe").load(file.read_text(encoding="utf-8"))["groups"]
    asked = {name for group in groups for rule in group["rules"] for name in _NAME.findall(rule["expr"])}
    told = {
        family.name
        for family in Metrics(store, FakeClock(), lambda: {"drive": Load(1, 1)}, Counted(), tuple).collect()
    }

    assert asked
    assert asked <= told
