"""Three years of a fleet, made up month by month: what a size report sums up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from bot.model.finding import Finding, RuleSeverity
from bot.model.measurement import Measurement
from bot.report.size.quarter import Quarter
from bot.report.size.summing import Frame, report
from bot.report.size.values import Grown, Growth, Link, SizeReport, Surroundings
from tests.unit.report import cases, samples

FIRST_YEAR, YEARS = 2024, 3
NOW = datetime(2027, 1, 2, 5, tzinfo=UTC)
Q4 = Quarter(2026, 4)
MB = 1_000_000

AROUND = Surroundings(
    updates=(Link("debian:bookworm-slim", "https://github.com/acme/shop/pull/128"),),
    waiting=("python:3.12-slim in worker/Dockerfile: minimum age: seen 1 of 3 days",),
    ignored=("postgres:16 in compose.yaml: snoozed until 2027-02-01: waits for the migration",),
    abandoned=("nginx:1.27-alpine in frontend/Dockerfile: stopped in 2025; choose 1.29-alpine",),
    unshipped=("api: the fix merged on 2026-11-03 is not in ghcr.io/acme/shop-api",),
    failed=("mailer/Dockerfile: the build failed: npm ci",),
    audit=(
        Finding(
            "RF303",
            RuleSeverity.WARNING,
            "worker",
            0,
            "node_modules holds 214 dev dependencies",
            saves=61 * MB,
        ),
        Finding("RF208", RuleSeverity.ERROR, "frontend/nginx.conf", 12, "no Content-Security-Policy"),
        Finding("RF110", RuleSeverity.ERROR, "backend/Dockerfile", 9, "runs as root"),
    ),
    targets=frozenset({("acme/shop", name) for name in ("backend", "frontend", "worker", "api")}),
)


def months() -> Iterable[str]:
    """`2024-01` … `2026-12`."""
    return (f"{year}-{month:02}" for year in range(FIRST_YEAR, FIRST_YEAR + YEARS) for month in range(1, 13))


def measurements() -> list[Measurement]:
    """Backend creeps 1 MB a month, frontend shrinks once, worker came in 2026-11, legacy went in 2025."""
    points: list[Measurement] = []
    for number, month in enumerate(months()):
        points.append(_point(month, "backend", 165 * MB + number * MB, wasted=3 * MB, efficiency=0.98))
        small = 58.7 if month >= "2025-06" else 96.2
        points.append(_point(month, "frontend", int(small * MB), build_seconds=12.0))
        if month >= "2026-11":
            points.append(
                _point(month, "worker", 412 * MB, wasted=61 * MB, efficiency=0.84, critical=1, high=9)
            )
        if month < "2025-10":
            points.append(_point(month, "legacy", 700 * MB))
        if "2025-03" <= month <= "2026-08":
            points.append(_point(month, "api", 120 * MB))
    proposal = _point(
        "2026-12", "backend", 196 * MB, base=f"debian:bookworm-slim@{samples.NEW}", applied=False, high=0
    )
    return [*points, proposal]


def _point(month: str, target: str, size: int, **values: object) -> Measurement:
    times = {"pull_seconds": 3.1, "cache_hit_rate": 0.8, "pull_bytes": 30 * MB}
    return cases.measurement(month, size, target=target, **{**times, **values})


def grown(before: Measurement, after: Measurement) -> Growth | None:
    """Where the backend grew."""
    if after.target != "backend" or before.target != "backend":
        return None
    return Growth(
        layers=(Grown("COPY --from=build /app/target/release/shop /usr/local/bin/", 41 * MB, 43 * MB),),
        paths=(
            Grown("/usr/local/bin/shop", 41 * MB, 42 * MB),
            Grown("/usr/share/shop/geo.db", 0, 1 * MB),
        ),
        packages=("curl 7.88.1-10+deb12u15", "libcurl4 7.88.1-10+deb12u15"),
    )


def year_end(quarter: Quarter = Q4, **values: object) -> SizeReport:
    """The report of the last quarter of the three years."""
    frame = Frame(
        quarter,
        zone=UTC,
        now=NOW,
        baselines=[samples.BASELINE],
        budgets={("acme/shop", "backend"): 195 * MB, ("acme/shop", "worker"): 350 * MB},
        bases_made={f"debian:bookworm-slim@{samples.OLD}": datetime(2026, 8, 11, tzinfo=UTC)},
        growth=grown,
        around=AROUND,
        **values,
    )
    return report(measurements(), frame)
