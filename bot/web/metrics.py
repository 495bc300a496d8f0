"""/metrics for Prometheus: what the store knows, asked at each scrape, and what this process counted.

What is in the store is the same on every machine and after every restart; only requests to registries are
this process's own.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.errors import RefitError
from bot.model.load import Load
from bot.model.measurement import Measurement
from bot.model.run import Cycle, CycleState
from bot.ports import Clock, Registry, Store
from bot.triggers.exposure import Place, exposure
from bot.triggers.ledger import over_all
from bot.triggers.outbox import KINDS, letters

log: Final = logging.getLogger(__name__)
_CYCLES: Final = 5000
_SINCE: Final = timedelta(days=400)
_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SEVERITIES: Final = ("critical", "high", "medium", "low")
_LISTS: Final = {"updates": "update", "waiting": "waiting", "abandoned": "abandoned", "skipped": "skipped"}
_QUOTA: Final = re.compile(r"(\d+)/(\d+)")
_TARGET: Final = ("project", "target", "platform")
# Name, what it is, and the field of a measurement.
_MEASURED: Final = (
    ("refit_image_size_bytes", "Unpacked size of the image that the default branch builds.", "size"),
    ("refit_image_pushed_bytes", "What a registry stores of that image.", "pushed_size"),
    ("refit_build_seconds", "Its build, with nothing from cache.", "build_seconds"),
    ("refit_pull_seconds", "Getting the images that the build starts from.", "pull_seconds"),
    ("refit_cache_hit_ratio", "Part of its build's steps that came from cache, 0 to 1.", "cache_hit_rate"),
    ("refit_health_seconds", "From start to the first success of its health check.", "health_seconds"),
)


@dataclass
class Counted:
    """What this process counted about registries, over all its tasks."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    left: dict[str, tuple[int, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, registry: Registry) -> None:
        """Take over what one task asked."""
        with self._lock:
            self.answers.update(registry.answers())
            for host, said in registry.quota().items():
                if found := _QUOTA.match(said):
                    self.left[host] = int(found[1]), int(found[2])


@dataclass(frozen=True, eq=False)
class Metrics(Collector):
    """Everything Prometheus is told.

    Attributes:
        store: Cycles, results, measurements.
        clock: Wall time.
        loads: How many tasks wait and run, by role; it may fail.
        counted: What this process counted.
        under_care: `project#target` of each target, as far as known; nothing for all that were ever measured.
    """

    store: Store
    clock: Clock
    loads: Callable[[], Mapping[str, Load]]
    counted: Counted
    under_care: Callable[[], Collection[str]]

    def collect(self) -> Iterator[Metric]:
        """Prometheus' question."""
        cycles = over_all(self.store.cycles(limit=_CYCLES))
        yield from _of_cycles(cycles)
        yield from self._of_uses(cycles)
        yield from self._of_targets()
        yield from self._of_registries()
        yield _of_letters(self.store)
        yield from _of_queue(self.loads())

    def _of_uses(self, cycles: Sequence[Cycle]) -> Iterator[Metric]:
        """Uses by outcome, as the newest finished monthly cycle left them."""
        uses = GaugeMetricFamily("refit_uses", "Uses by outcome, in the newest cycle.", labels=["outcome"])
        newest = next((one for one in cycles if one.name.startswith("monthly-") and one.finished), None)
        result: Mapping[str, Any] = json.loads(self.store.result(newest.id) or "{}") if newest else {}
        for key, outcome in _LISTS.items():
            uses.add_metric([outcome], len(result.get(key, ())))
        uses.add_metric(["current"], result.get("current", 0))
        uses.add_metric(["failed"], len(result.get("failed", ())))
        yield uses

    def _of_targets(self) -> Iterator[Metric]:
        """What the default branch holds of each target under care; what is only proposed is not there yet."""
        now, care = self.clock.now(), self.under_care()
        measured = self.store.measurements(now - _SINCE, now + timedelta(days=1))
        points = {_place(one): one for one in measured if one.applied}
        counts = {place: _counts(one) for place, one in points.items()} | exposure(self.store)
        yield _vulnerabilities({place: found for place, found in counts.items() if _is_in(care, place)})
        yield from _measured([one for place, one in points.items() if _is_in(care, place)])

    def _of_registries(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "refit_registry_requests", "Answers of registries to this process.", labels=["registry", "status"]
        )
        for (host, status), number in sorted(self.counted.answers.items()):
            requests.add_metric([host, str(status)], number)
        yield requests
        left = GaugeMetricFamily(
            "refit_registry_quota_left",
            "Requests left of its limit, as it said last.",
            labels=["registry"],
        )
        limit = GaugeMetricFamily(
            "refit_registry_quota_limit", "Requests that its limit is of.", labels=["registry"]
        )
        for host, (rest, most) in sorted(self.counted.left.items()):
            left.add_metric([host], rest)
            limit.add_metric([host], most)
        yield from (left, limit)


def _of_queue(loads: Mapping[str, Load]) -> Iterator[Metric]:
    """Work of all machines: what waits where nothing runs has nobody to do it."""
    depth = GaugeMetricFamily("refit_queue_depth", "Tasks that wait or run.")
    depth.add_metric([], sum(load.waiting + load.running for load in loads.values()))
    jobs = GaugeMetricFamily("refit_queue_jobs", "Tasks by who takes them.", labels=["role", "state"])
    for role, load in sorted(loads.items()):
        jobs.add_metric([role, "waiting"], load.waiting)
        jobs.add_metric([role, "running"], load.running)
    yield from (depth, jobs)


def _of_letters(store: Store) -> Metric:
    """What destinations of notifications and chats have yet to take, and what was given up."""
    owed = GaugeMetricFamily(
        "refit_undelivered", "Notifications and answers that nobody took.", labels=["kind", "state"]
    )
    for what, name in KINDS.items():
        states = Counter("given_up" if one.given_up else "waiting" for one in letters(store, name).values())
        for state in ("waiting", "given_up"):
            owed.add_metric([what, state], states[state])
    return owed


def _of_cycles(cycles: Sequence[Cycle]) -> Iterator[Metric]:
    """How many of each job ran, and when one last ended well."""
    count = GaugeMetricFamily("refit_cycles", "Runs of each cycle in the store.", labels=["cycle", "state"])
    success = GaugeMetricFamily(
        "refit_last_success_timestamp_seconds", "When one was last finished.", labels=["cycle"]
    )
    for (job, state), number in sorted(Counter((_job(one), one.state.value) for one in cycles).items()):
        count.add_metric([job, state], number)
    finished = [one for one in cycles if one.state is CycleState.DONE and one.finished is not None]
    last = {_job(one): one.finished.timestamp() for one in reversed(finished) if one.finished}
    for job, moment in sorted(last.items()):
        success.add_metric([job], moment)
    yield count
    yield success


def _job(cycle: Cycle) -> str:
    return cycle.name.partition("-")[0]


def _place(point: Measurement) -> Place:
    return point.project, point.target, point.platform


def _is_in(care: Collection[str], place: Place) -> bool:
    return not care or f"{place[0]}#{place[1]}" in care


def _counts(point: Measurement) -> Mapping[str, int]:
    return {one.upper(): getattr(point, one) for one in _SEVERITIES}


def _vulnerabilities(counts: Mapping[Place, Mapping[str, int]]) -> Metric:
    """From today's rescan of SBOMs, else from when the target was measured last."""
    found = GaugeMetricFamily(
        "refit_vulnerabilities", "Of what the default branch builds.", labels=[*_TARGET, "severity"]
    )
    for place, by_severity in counts.items():
        for severity in _SEVERITIES:
            found.add_metric([*place, severity], by_severity.get(severity.upper(), 0))
    return found


def _measured(points: Sequence[Measurement]) -> Iterator[Metric]:
    for name, text, attribute in _MEASURED:
        family = GaugeMetricFamily(name, text, labels=_TARGET)
        for point in points:
            if (value := getattr(point, attribute)) is not None:
                family.add_metric(_place(point), value)
        yield family


def metrics_route(metrics: Metrics) -> Route:
    """/metrics; 503 where the store does not answer."""

    def told() -> Response:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(metrics)
        try:
            return Response(generate_latest(registry), media_type=_TYPE)
        except RefitError as error:
            log.warning("metrics could not be told: %s", error.message)
            return Response(f"{error.message}\n", 503)

    async def scrape(_: Request) -> Response:
        return await run_in_threadpool(told)

    return Route("/metrics", scrape)
