"""/metrics tells what is in the store and what this process counted, as Prometheus reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bot.errors import StoreError
from bot.model.measurement import Measurement
from bot.store.sql import SqlStore, open_store, sqlite_url
from bot.web.metrics import Counted, Metrics, metrics_route
from tests.fakes.registry import FakeRegistry
from tests.unit.cycle.house import FakeClock

SEVERITIES = ("critical", "high", "medium", "low")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
POINT = Measurement(
    "acme/shop", "backend", "linux/amd64", NOW, "monthly-2026-11", "debian:12@sha256:a", 80_000_000,
    31_000_000, 4, 12.5, 1, 2, 3, 4, applied=False, pull_seconds=1.5, cache_hit_rate=0.25,
)  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(sqlite_url(tmp_path))
    yield opened
    opened.close()


def scrape(store: SqlStore, counted: Counted | None = None) -> Mapping[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels, in the order of their names."""
    metrics = Metrics(store, FakeClock(), lambda: 2, counted or Counted())
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


def test_requests_and_quota_add_up_over_tasks(store: SqlStore) -> None:
    counted, registry = Counted(), FakeRegistry()
    registry.asked += ["HEAD a", "HEAD b"]
    registry.left = {"docker.io": "98/100", "ghcr.io": "unlimited"}

    counted.add(registry)
    counted.add(registry)
    told = scrape(store, counted)

    assert told["refit_registry_requests_total", "docker.io", "200"] == 4
    assert told["refit_registry_quota_left", "docker.io"] == 98
    assert ("refit_registry_quota_left", "ghcr.io") not in told


def test_a_store_that_does_not_answer_is_no_empty_page(store: SqlStore) -> None:
    def broken() -> int:
        raise StoreError("the queue cannot be used")

    route = metrics_route(Metrics(store, FakeClock(), broken, Counted()))
    answer = TestClient(Starlette(routes=[route])).get("/metrics")

    assert (answer.status_code, answer.text) == (503, "the queue cannot be used\n")
