"""The cases a report must tell: all went well, and each way in which it did not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from bot.model.artifact import Artifact, ArtifactKind
from bot.model.evidence import Absence, Evidence, Health, HealthState, Level, Verdict, VerdictState
from bot.model.exposure import Ignored, Misconfiguration, Secret
from bot.model.manifest import Platform
from bot.model.measurement import Measurement
from bot.model.run import Cycle, CycleState, Decided, Problem, Proved, RunResult
from bot.model.update import Abandoned, Current, Failed, Skipped, UpdateKind, Waiting
from bot.model.use import Use, UseKind
from bot.model.vulnerability import Cause, Comparison, Severity
from tests.unit.report.samples import (
    NOW,
    OLD,
    UPDATE,
    comparison,
    evidence,
    findings,
    proved,
    scan,
    use,
)

ARM64 = Platform("linux", "arm64")


def with_evidence(
    *every: Evidence, state: VerdictState = VerdictState.PASS, reasons: tuple[str, ...] = ()
) -> Proved:
    return replace(proved(), evidence=every, verdict=Verdict(state, reasons))


def pin() -> Proved:
    """A floating tag frozen to what it already is."""
    update = replace(UPDATE, kind=UpdateKind.PIN)
    plain = replace(proved().planned, use=use("debian:bookworm-slim"), update=update)
    reason = "a pin freezes what is built already"
    one = replace(evidence(), before=None, comparison=None, before_reason=reason, absence=Absence.PINNED)
    return replace(
        with_evidence(one, reasons=(f"nothing to compare with: {reason}",)), planned=plain, baseline=None
    )


def base_only() -> Proved:
    one = evidence()
    before, after = one.before, one.after
    assert before is not None
    why = "this machine has no container engine"
    sides = replace(before, build=None, health=None), replace(after, build=None, health=None)
    return with_evidence(replace(one, level=Level.BASE, level_reason=why, before=sides[0], after=sides[1]))


def build_only() -> Proved:
    one = evidence()
    before, after = one.before, one.after
    assert before is not None
    why = "the containers could not be started: the engine refused the network"
    sides = replace(before, health=None), replace(after, health=None)
    built = replace(one, level=Level.BUILD, level_reason=why, before=sides[0], after=sides[1])
    reason = f"not started this time: {why}"
    return with_evidence(replace(built, this_time_only=True), state=VerdictState.WARN, reasons=(reason,))


def two_platforms() -> Proved:
    """Built on amd64; arm64 has its base images compared."""
    other = base_only().evidence[0]
    why = "this machine builds linux/amd64, not linux/arm64"
    return with_evidence(evidence(), replace(other, platform=ARM64, level_reason=why))


def before_gone() -> Proved:
    reason = "the old image is gone from the registry"
    one = replace(evidence(), before=None, comparison=None, before_reason=reason, absence=Absence.GONE)
    return with_evidence(one, state=VerdictState.WARN, reasons=(f"nothing to compare with: {reason}",))


def unsupported() -> Proved:
    """A distribution past its end: what its list says is unknown, never 0."""
    one = evidence()
    assert one.before is not None
    unknown = scan((), distribution="debian 9.13", supported=False)
    empty = Comparison((), (), (), (), ())
    both = replace(one, before=replace(one.before, scan=unknown), after=replace(one.after, scan=unknown))
    reasons = ("vulnerabilities unknown: the scanner has no data for debian 9.13",)
    return with_evidence(replace(both, comparison=empty), state=VerdictState.WARN, reasons=reasons)


def build_failed() -> Proved:
    """It builds on the old base and not on the new one; the log tries to break out of its block."""
    log = "\n".join(f"#12 {i * 0.1:.1f} compiling module {i}" for i in range(70))
    log += "\n```\n# fixes #99 @everyone\n/refit rescan\n#12 ERROR: undefined symbol: SSL_get1_peer [skip ci]"
    failure = "it does not build on the new base, and did on the old one: step 5 of 9 ended with code 1"
    one = replace(
        base_only().evidence[0],
        level_reason="the target does not build on the new base",
        failure=failure,
        failure_log=log,
    )
    return replace(with_evidence(one, state=VerdictState.BLOCK, reasons=(failure,)), publication_note="")


def unhealthy() -> Proved:
    one = evidence()
    why = "not healthy within 60 s; the last probe said: exit code 1 curl: (7) Failed to connect"
    log = f"{why}\nlistening on 127.0.0.1:3000\nthread 'main' panicked at src/main.rs:12: no such file"
    after = replace(one.after, health=Health(HealthState.UNHEALTHY, 60.0, log))
    reason = f"healthy before, unhealthy after ({why})"
    return with_evidence(replace(one, after=after), state=VerdictState.BLOCK, reasons=(reason,))


def repaired() -> Proved:
    """It builds on the new base only."""
    why = "it does not build on the old base: [3/5] RUN make failed with exit code 2"
    one = replace(evidence(), before=None, comparison=None, before_reason=why, absence=Absence.NOT_BUILT)
    return with_evidence(one, reasons=(f"the update repairs the build: {why}",))


def not_built_either() -> Proved:
    """It builds on neither base, so only the bases are compared."""
    message = "[3/5] RUN npm ci failed with exit code 1"
    one = replace(
        base_only().evidence[0],
        level_reason=f"the target does not build: {message}",
        not_built=message,
        failure_log="npm ERR! code E401\nnpm ERR! Incorrect or missing password.",
        failed_before_too=True,
    )
    reason = f"the target does not build before this update either: {message}"
    return with_evidence(one, state=VerdictState.WARN, reasons=(reason,))


def no_healthcheck() -> Proved:
    one = evidence()
    assert one.before is not None
    started = Health(HealthState.STARTED, 3.0)
    both = replace(one, before=replace(one.before, health=started), after=replace(one.after, health=started))
    reason = (
        "the new image started and ran on, and no more could be asked: it has no HEALTHCHECK; "
        "add one to the Dockerfile, or set health.command"
    )
    return with_evidence(both, reasons=(reason,))


def named(one: Proved, name: str) -> Proved:
    """The same of another target."""
    target = one.planned.target
    assert target is not None
    file = f"{name}/Dockerfile"
    moved = replace(one.planned.use, file=file)
    return replace(
        one, planned=replace(one.planned, target=replace(target, name=name, dockerfile=file), use=moved)
    )


def group() -> tuple[Proved, ...]:
    """Five targets on one base, each in another state."""
    return (
        proved(),
        named(unhealthy(), "worker"),
        named(build_failed(), "admin"),
        named(not_built_either(), "docs"),
        named(not_built_either(), "site"),
    )


def exposed() -> Proved:
    """Secrets and mistakes in the new image, findings hidden on request, and documents kept."""
    one = evidence()
    seen = replace(
        one.after.scan,
        secrets=(
            Secret("github-pat", "GitHub Personal Access Token", Severity.CRITICAL, "app/.npmrc", 3),
            Secret("private-key", "Asymmetric Private Key", Severity.HIGH),
        ),
        misconfigurations=(
            Misconfiguration(
                "DS-0002",
                "Image user should not be 'root'",
                Severity.HIGH,
                "Specify at least 1 USER command in Dockerfile with non-root user as argument",
                "Add 'USER <non root user name>' line to the Dockerfile",
            ),
        ),
        ignored=(
            Ignored("CVE-2023-45853", "zlib1g", "not_affected", "/etc/vex.json", "minizip is not built"),
            Ignored("CVE-2005-2541", "tar", "ignored", "/etc/refit/.trivyignore"),
        ),
        artifacts=(
            Artifact(ArtifactKind.SBOM, "sha256:" + "5b" * 32, 205_321, "https://refit.example.com/sbom"),
            Artifact(ArtifactKind.SARIF, "sha256:" + "5a" * 32, 94_736),
        ),
    )
    return with_evidence(replace(one, after=replace(one.after, scan=seen)))


def nothing_measured() -> Proved:
    return with_evidence(state=VerdictState.BLOCK, reasons=("nothing could be measured",))


def huge() -> Proved:
    """A kernel package's worth of vulnerabilities: far more than fits in a body."""
    versions = "6.1.140-1", "6.1.158-1"
    rows = [("linux", f"linux-{i}", *versions, f"H{10000 + i} M{30000 + i}") for i in range(900)]
    many = findings(rows, Cause.BASE)
    small = comparison()
    both = replace(small, fixed=(*small.fixed, *many), remaining=(*small.remaining, *many))
    return with_evidence(replace(evidence(), comparison=both))


CASES = {
    "pass": proved,
    "pin": pin,
    "level base": base_only,
    "level build": build_only,
    "two platforms": two_platforms,
    "before gone": before_gone,
    "unsupported distribution": unsupported,
    "build failed": build_failed,
    "unhealthy": unhealthy,
    "repaired": repaired,
    "not built either": not_built_either,
    "no healthcheck": no_healthcheck,
    "exposed": exposed,
    "huge": huge,
    "nothing measured": nothing_measured,
}

NGINX = use("nginx:1.27-alpine@sha256:" + "c7" * 32, "frontend/Dockerfile", 9)
COMPOSE = replace(NGINX, file="compose.yaml", kind=UseKind.COMPOSE)
CI = replace(NGINX, file="ci/Dockerfile")
BUILDER = replace(use("rust:1.88-slim@sha256:" + "a9" * 32, line=1), final=False)
STAGE = Use("backend/Dockerfile", 17, UseKind.FROM, "2", "builder", None, skipped="FROM builder (a stage)")


def result(*updates: Proved) -> RunResult:
    """A run over the sample: one update, an abandoned tag, two current, one skipped, one failed."""
    started = datetime(2026, 11, 24, 7, 28, tzinfo=UTC)
    return RunResult(
        cycle=Cycle("monthly-2026-11", "monthly-2026-11", 1, CycleState.DONE, started, NOW),
        updates=updates or (proved(),),
        decided=(
            Decided("acme/shop", "backend", BUILDER, Current()),
            Decided("acme/shop", "frontend", replace(BUILDER, file="frontend/Dockerfile"), Current()),
            Decided("acme/shop", "backend", STAGE, Skipped("FROM builder (a stage)")),
            Decided(
                "acme/shop",
                "frontend",
                NGINX,
                Abandoned("tag stopped 2025; the newer branch needs allow: minor", ("1.29-alpine",)),
            ),
            Decided("acme/shop", None, COMPOSE, Waiting("3 days old at least; seen 1 day")),
            Decided("acme/shop", None, CI, Failed("registry quay.io: timeout", "Retry.")),
        ),
        problems=(Problem("worker", "the context folder is missing: worker/", "Correct `context:`."),),
        requests={"HEAD": 3, "GET": 2},
        seconds=372.0,
        quota={"docker.io": "98/100"},
    )


def measurement(month: str, size: int, **values: object) -> Measurement:
    """A point of backend's time series; other fields by name."""
    point = Measurement(
        project="acme/shop",
        target="backend",
        platform="linux/amd64",
        at=datetime.fromisoformat(f"{month}-02T06:00:00+00:00"),
        cycle=f"monthly-{month}",
        base=f"debian:bookworm-slim@{OLD}",
        size=size,
        pushed_size=size // 3,
        layers=5,
        build_seconds=41.3,
        critical=0,
        high=2,
        medium=12,
        low=8,
        applied=True,
    )
    return replace(point, **values)  # type: ignore[arg-type] # fields by name, checked by the value itself
