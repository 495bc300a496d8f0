"""What a group of proved updates comes to: the facts that titles, tables and sentences share."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.model.evidence import Evidence, HealthState, Level, Verdict, VerdictState
from bot.model.manifest import believable
from bot.model.measurement import Baseline
from bot.model.run import Proved
from bot.model.vulnerability import Cause, Finding, Severity
from bot.report import wording
from bot.report.quote import title

_ORDER = (VerdictState.BLOCK, VerdictState.WARN, VerdictState.PASS)


@dataclass(frozen=True, slots=True)
class Case:
    """One update measured on one platform."""

    proved: Proved
    evidence: Evidence

    @property
    def name(self) -> str:
        """What was measured, and for what: `backend · linux/amd64`."""
        return f"{self.subject} · {self.evidence.platform}"

    @property
    def subject(self) -> str:
        """What was measured, without the platform."""
        return title(self.proved.planned.subject, limit=60)

    @property
    def known(self) -> bool:
        """True where vulnerabilities can be compared: both sides scanned, both distributions supported."""
        before, after = self.evidence.before, self.evidence.after
        both = before is not None and before.scan.supported and after.scan.supported
        return both and self.evidence.comparison is not None

    @property
    def log(self) -> str:
        """The last lines of what failed: of the build, else of the new container; text from outside."""
        health = self.evidence.after.health
        return self.evidence.failure_log or (health.log if health and not health.good else "")

    @property
    def baseline(self) -> Baseline | None:
        """The baseline, where it was measured on this platform."""
        baseline = self.proved.baseline
        same = baseline is not None and baseline.platform == str(self.evidence.platform)
        return baseline if same else None

    @property
    def budget(self) -> int | None:
        """The size budget of the target in bytes; a base image alone has none."""
        target = self.proved.planned.target
        return target.budget if target and self.evidence.level is not Level.BASE else None


def cases(proved: Sequence[Proved]) -> tuple[Case, ...]:
    """Every measurement of a group, in order."""
    return tuple(Case(one, evidence) for one in proved for evidence in one.evidence)


def verdict(proved: Sequence[Proved]) -> Verdict:
    """The worst verdict of a group with every reason, the weightiest first; each says whose it is."""
    ranked = sorted(proved, key=lambda one: _ORDER.index(one.verdict.state))
    held_by: defaultdict[str, list[str]] = defaultdict(list)
    for one in ranked:
        for reason in dict.fromkeys(one.verdict.reasons):
            held_by[reason].append(title(one.planned.subject, limit=60))
    named = (_named(reason, subjects, len(proved)) for reason, subjects in held_by.items())
    return Verdict(ranked[0].verdict.state, tuple(named))


def _named(text: str, subjects: Sequence[str], of: int) -> str:
    """What holds for some members of a group names them; what holds for all needs no name."""
    return text if len(subjects) == of else f"in {wording.few(subjects)}: {text}"


def failures(proved: Sequence[Proved]) -> tuple[str, ...]:
    """Why new sides could not be proved, each as it stands among the reasons of the group's verdict."""
    told = {case.evidence.failure for case in cases(proved) if case.evidence.failure}
    return tuple(
        reason for reason in verdict(proved).reasons if any(reason.endswith(failure) for failure in told)
    )


def lead(proved: Sequence[Proved]) -> str:
    """The reason told first where it is no pass: what could not be proved, else the weightiest."""
    judged = verdict(proved)
    reasons = () if judged.state is VerdictState.PASS else (*failures(proved), *judged.reasons)
    return reasons[0] if reasons else ""


def fixed(of: Iterable[Case], cause: Cause = Cause.BASE) -> dict[Severity, int] | None:
    """How many vulnerabilities of each severity the new bases fix; None where nothing can be compared.

    What a rebuild alone would have fixed is not their merit: it is counted by its own cause.
    """
    known = [case.evidence.comparison for case in of if case.known]
    if not known:
        return None
    return _union([f for f in one.fixed if f.cause is cause] for one in known if one)


def introduced(of: Iterable[Case]) -> dict[Severity, int] | None:
    """How many it introduces; None where nothing can be compared."""
    known = [case.evidence.comparison for case in of if case.known]
    return _union(comparison.introduced for comparison in known if comparison) if known else None


def _union(findings: Iterable[Sequence[Finding]]) -> dict[Severity, int]:
    """Count each vulnerability once, however many platforms and targets share it."""
    every: Counter[tuple[Severity, tuple[str, str, str]]] = Counter()
    for group in findings:
        every |= Counter((f.vulnerability.severity, f.vulnerability.identity) for f in group)
    counts = dict.fromkeys(Severity, 0)
    for (severity, _), number in every.items():
        counts[severity] += number
    return counts


def count(findings: Iterable[Finding], cause: Cause | None = None) -> dict[Severity, int]:
    """Findings by severity, of one cause or of all."""
    counts = dict.fromkeys(Severity, 0)
    for finding in findings:
        if cause is None or finding.cause is cause:
            counts[finding.vulnerability.severity] += 1
    return counts


def by_cause(findings: Sequence[Finding]) -> str:
    """`19 by the base, 3 by rebuilding`; empty where nothing is known of causes."""
    counts = Counter(finding.cause for finding in findings)
    return ", ".join(f"{counts[cause]} {words}" for cause, words in wording.BY.items() if counts[cause])


def weightiest(counts: dict[Severity, int]) -> dict[Severity, int]:
    """Critical and high alone where there are some; else all."""
    best = serious(counts)
    return best if any(best.values()) else counts


def serious(counts: dict[Severity, int]) -> dict[Severity, int]:
    """Critical and high alone."""
    return {severity: counts[severity] for severity in wording.SERIOUS}


def image(proved: Proved) -> str:
    """The image that moves, as people write it: `debian:bookworm-slim`."""
    reference = proved.planned.use.reference
    if reference is None:
        return title(proved.planned.use.text, limit=100)
    tag = reference.effective_tag
    return title(f"{reference.name}:{tag}" if tag else reference.name, limit=100)


def destination(proved: Proved) -> str:
    """What it moves to, in the words of a title: a tag, else a date, else the digest's first digits."""
    before, update = proved.planned.use.reference, proved.planned.update
    if before is not None and update.to.tag != before.tag and update.to.tag:
        return title(update.to.tag, limit=60)
    if (created := believable(update.created)) is not None:
        return wording.day(created)
    return title(update.name or "", limit=60) or wording.short_digest(update.to.digest or "")


def health_word(states: Sequence[HealthState]) -> str:
    """How all containers did, in one word: the worst; empty where none was started."""
    order = (HealthState.EXITED, HealthState.UNHEALTHY, HealthState.STARTED, HealthState.HEALTHY)
    return min(states, key=order.index).value if states else ""
