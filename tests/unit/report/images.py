"""Two images compared, as the guide tells of its own."""

from __future__ import annotations

from bot.model.compared import ImageComparison, ImageFacts
from bot.model.evidence import Build, Layer, Waste
from bot.model.target import LINUX_AMD64
from bot.model.vulnerability import Cause, ChangeKind, Comparison, Finding, PackageChange, Severity
from tests.unit.cycle.house import scan, vulnerability

OLD, NEW = vulnerability("CVE-2026-1", Severity.CRITICAL), vulnerability("CVE-2026-2", Severity.LOW)


def facts(name: str, size: int, seconds: float, layers: int, *found: str) -> ImageFacts:
    rows = tuple(Layer(f"sha256:{n}", size // layers, f"RUN {n}") for n in range(layers))
    build = Build("sha256:x", seconds, (), size, rows, size // 3, Waste(0.975, 2_000_000, 0.1), size // 2)
    known = scan(name, *(vulnerability(one, Severity.CRITICAL) for one in found))
    return ImageFacts(name, "built", known, size, size // 3, layers, build, seconds)


def compared(*, caused: bool = False) -> ImageComparison:
    """The guide's own numbers: 3.0 GB in 13 minutes and 27 layers became 240 MB, 8 minutes, 18 layers."""
    before = facts("before.Dockerfile", 3_000_000_000, 13 * 60, 27, "CVE-1", "CVE-2")
    after = facts("Dockerfile", 240_000_000, 8 * 60, 18, "CVE-3")
    change = PackageChange("gcc", ChangeKind.REMOVED, "12", None, Cause.REBUILD)
    comparison = Comparison((Finding(OLD, Cause.BASE),), (Finding(NEW, Cause.REBUILD),), (), (), (change,))
    return ImageComparison(before, after, LINUX_AMD64, comparison, 12.0, caused=caused)
