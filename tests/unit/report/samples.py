"""Values as a real run makes them: a Debian bookworm base three months on, with the guide's backend."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from bot.model.evidence import (
    Build,
    Evidence,
    Health,
    HealthState,
    Layer,
    Level,
    Side,
    Step,
    Verdict,
    VerdictState,
)
from bot.model.measurement import Baseline
from bot.model.reference import Reference
from bot.model.run import (
    Planned,
    Proved,
    Publication,
    PublicationKind,
    PublicationState,
)
from bot.model.target import LINUX_AMD64, Project, Target
from bot.model.update import Update, UpdateKind
from bot.model.use import Use, UseKind
from bot.model.vulnerability import (
    Cause,
    ChangeKind,
    Comparison,
    Database,
    Finding,
    Package,
    PackageChange,
    Scan,
    Severity,
    Vulnerability,
)

NOW = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)
OLD = "sha256:" + "a1" * 32
NEW = "sha256:" + "b2" * 32
MARKER = f"<!-- refit slot=acme/shop:debian digest=debian@{NEW} -->"
DATABASE = Database("sha256:" + "d4" * 32, datetime(2026, 11, 24, 6, 12, tzinfo=UTC), 2)
C, H, M, L = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW

# source package, binary package, before, after, ids with severity
_BASE_FIXES = (
    ("openssl", "libssl3", "3.0.16-1~deb12u1", "3.0.17-1~deb12u3", "C25690 H25691 H25692 M25693 M25694"),
    ("glibc", "libc6", "2.36-9+deb12u10", "2.36-9+deb12u13", "C4802 H4803 H4804 M8058 L8059"),
    ("gnutls28", "libgnutls30", "3.7.9-2+deb12u4", "3.7.9-2+deb12u5", "C32988 H32989 H32990 M6395"),
    ("pam", "libpam0g", "1.5.2-6+deb12u1", "1.5.2-6+deb12u2", "H6020 H6018 H6019 L6021"),
    ("perl", "perl-base", "5.36.0-7+deb12u2", "5.36.0-7+deb12u3", "M40909"),
)
_REBUILD_FIXES = (("curl", "libcurl4", "7.88.1-10+deb12u12", "7.88.1-10+deb12u14", "H9086 H10148 L10966"),)
_REMAINING = (
    ("zlib", "zlib1g", "1:1.2.13.dfsg-1", "", "M45853"),
    ("systemd", "libsystemd0", "252.38-1~deb12u1", "", "M4598 M31437 M31438 L31439"),
    ("util-linux", "libmount1", "2.38.1-5+deb12u3", "", "M0563 M28085 L14104"),
    ("coreutils", "coreutils", "9.1-1", "", "M2781 L5278"),
    ("ncurses", "libtinfo6", "6.4-4", "", "M6141 M50495 L45918"),
    ("tar", "tar", "1.34+dfsg-1.2+deb12u1", "", "M48303 L2005"),
    ("apt", "apt", "2.6.1", "", "L3374 L3375"),
)
_LETTERS = {"C": C, "H": H, "M": M, "L": L}


def findings(
    rows: Iterable[tuple[str, str, str, str, str]], cause: Cause | None, *, path: str = ""
) -> tuple[Finding, ...]:
    """Findings from a readable table."""
    return tuple(
        Finding(
            Vulnerability(
                id=f"CVE-2025-{number[1:]}",
                package=Package(name, before, "debian", path, source),
                severity=_LETTERS[number[0]],
                fixed_version=after or None,
                title=f"{source}: out-of-bounds read in *parse_{name}()* when <len> is 0",
                status="fixed" if after else "affected",
            ),
            cause,
        )
        for source, name, before, after, numbers in rows
        for number in numbers.split()
    )


def changes(rows: Iterable[tuple[str, str, str, str, str]], cause: Cause) -> tuple[PackageChange, ...]:
    return tuple(PackageChange(n, ChangeKind.CHANGED, b, a, cause) for _, n, b, a, _ in rows)


def comparison() -> Comparison:
    """22 fixed (19 by the base), one low introduced, 20 remaining of which two have a fix in Cargo.lock."""
    cargo = findings(
        (("rustls", "rustls", "0.21.10", "0.21.11", "M32650"), ("h2", "h2", "0.3.24", "0.3.26", "L2003")),
        None,
        path="app/Cargo.lock",
    )
    introduced = findings((("sqlite3", "libsqlite3-0", "3.40.1-2+deb12u2", "", "L7709"),), Cause.BASE)
    added = (PackageChange("libzstd1", ChangeKind.ADDED, None, "1.5.4+dfsg2-5", Cause.BASE),)
    return Comparison(
        fixed=(*findings(_BASE_FIXES, Cause.BASE), *findings(_REBUILD_FIXES, Cause.REBUILD)),
        introduced=introduced,
        remaining=(*cargo, *findings(_REMAINING, None)),
        moved=(),
        packages=(*changes(_BASE_FIXES, Cause.BASE), *changes(_REBUILD_FIXES, Cause.REBUILD), *added),
    )


def scan(of: Iterable[Finding], *, distribution: str = "debian 12.12", supported: bool = True) -> Scan:
    found = tuple(finding.vulnerability for finding in of)
    packages = tuple(sorted({v.package for v in found}, key=lambda p: p.name))
    return Scan("sha256:" + "c3" * 32, distribution, supported, packages, found, "trivy 0.74.0", DATABASE)


def build(size: int, seconds: float) -> Build:
    names = (
        "debian.sh --arch 'amd64' out/ 'bookworm' | tar",
        "RUN apt-get update && apt-get install -y ca-certificates curl",
        "COPY --from=builder /app/server /usr/local/bin/server",
    )
    sizes = (size - 78_400_000, 62_300_000, 16_100_000)
    layers = tuple(Layer(f"sha256:{n}", s, n) for n, s in zip(names, sizes, strict=True))
    steps = (Step("[2/3] RUN", seconds, cached=False),)
    return Build("sha256:" + "e5" * 32, seconds, steps, size, layers, size // 3)


def side(of: Iterable[Finding], size: int, seconds: float, health: Health | None) -> Side:
    base = "docker.io/library/debian@" + NEW
    return Side(base, scan(of), 28_200_000, size - 78_400_000, build(size, seconds), health)


def evidence() -> Evidence:
    both = comparison()
    return Evidence(
        key="k1",
        level=Level.HEALTH,
        level_reason="",
        platform=LINUX_AMD64,
        before=side((*both.fixed, *both.remaining), 181_200_000, 41.3, Health(HealthState.HEALTHY, 2.1)),
        after=side((*both.introduced, *both.remaining), 180_900_000, 39.8, Health(HealthState.HEALTHY, 2.0)),
        comparison=both,
        started=NOW,
        seconds=148.0,
    )


def use(text: str = f"debian:bookworm-slim@{OLD}", file: str = "backend/Dockerfile", line: int = 21) -> Use:
    return Use(file, line, UseKind.FROM, "1", text, Reference.parse(text), final=True)


TARGET = Target("acme/shop", "backend", "backend/Dockerfile", "backend", budget=200_000_000)
PROJECT = Project("acme/shop")
UPDATE = Update(
    UpdateKind.DIGEST,
    Reference.parse(f"debian:bookworm-slim@{NEW}"),
    "the tag moved to a new digest, seen for 9 days",
    created=datetime(2026, 11, 10, tzinfo=UTC),
    first_seen=datetime(2026, 11, 15, tzinfo=UTC),
    name="bookworm-20261110-slim",
    old_name="bookworm-20260811-slim",
    notes=("Debian 12: LTS until 2028-06",),
)
MERGED = datetime(2026, 8, 12, tzinfo=UTC)
BASELINE = Baseline("acme/shop", "backend", "linux/amd64", 178_000_000, OLD, MERGED)
PULL = Publication(
    "acme/shop:debian",
    PublicationKind.PULL_REQUEST,
    "acme/shop",
    NEW,
    "https://github.com/acme/shop/pull/128",
    "refit/debian",
    PublicationState.OPEN,
)


def proved() -> Proved:
    """The update of DESIGN.md: everything went well."""
    planned = Planned(PROJECT, TARGET, use(), UPDATE, "f00dfeed" * 5)
    return Proved(planned, (evidence(),), Verdict(VerdictState.PASS, ()), BASELINE, PULL)
