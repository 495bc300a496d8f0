"""Everything that outlives a process."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Protocol

from bot.model.artifact import Sbom
from bot.model.driving import Driving
from bot.model.evidence import Evidence
from bot.model.measurement import Baseline, Measurement
from bot.model.published import Published
from bot.model.receipt import Receipt
from bot.model.retention import Expiring
from bot.model.run import Cycle, Plan, Publication, RunResult
from bot.model.snooze import Snooze
from bot.model.vulnerability import Scan


class Store(Protocol):
    """Everything that outlives a process. Blocking; safe from several threads."""

    def begin(self, name: str, now: datetime) -> Cycle:
        """The unfinished cycle of this name, else a new attempt."""
        ...

    def finish(self, cycle: Cycle, result: str, now: datetime, outcome: RunResult | None = None) -> Cycle:
        """Mark a cycle done, with its result as JSON, and as a value where it has one."""
        ...

    def outcome(self, cycle: Cycle) -> RunResult | None:
        """The result of a finished cycle as a value, or None where it has none."""
        ...

    def drive(self, driving: Driving) -> None:
        """Let others see who drives a cycle and what it is at."""
        ...

    def driving(self, cycle: Cycle) -> Driving | None:
        """Who drove an unfinished cycle last, or None."""
        ...

    def cycles(self, name: str | None = None, limit: int = 50) -> tuple[Cycle, ...]:
        """Cycles, newest first."""
        ...

    def planned(self, limit: int = 20) -> tuple[Cycle, ...]:
        """Cycles whose plan is stored, newest first."""
        ...

    def result(self, cycle_id: str) -> str | None:
        """The result of a finished cycle as JSON."""
        ...

    def plan(self, cycle: Cycle) -> Plan | None:
        """The plan stored for a cycle, or None."""
        ...

    def save_plan(self, cycle: Cycle, plan: Plan) -> None:
        """Store the plan of a cycle."""
        ...

    def evidence(self, key: str) -> Evidence | None:
        """Finished evidence by the key of what went in."""
        ...

    def save_evidence(self, evidence: Evidence) -> None:
        """Store finished evidence under its key; what was finished first stays."""
        ...

    def scan(self, key: str) -> Scan | None:
        """A finished scan by its key."""
        ...

    def save_scan(self, key: str, scan: Scan, now: datetime) -> None:
        """Store a finished scan."""
        ...

    def sboms(self, subject: str | None = None) -> tuple[Sbom, ...]:
        """The SBOMs at hand, of a subject or of all, newest first."""
        ...

    def save_sbom(self, sbom: Sbom) -> None:
        """Remember an SBOM; one of the same subject, platform and base replaces it."""
        ...

    def remove_sbom(self, sbom: Sbom) -> None:
        """Forget an SBOM, and what was told of it where no other entry has the same digest."""
        ...

    def told(self, digest: str, audience: str, subject: str) -> Scan | None:
        """What an audience was told last of an SBOM of a target, or None; it lists no packages."""
        ...

    def save_told(self, digest: str, audience: str, subject: str, scan: Scan, now: datetime) -> None:
        """Store what an audience was told of an SBOM of a target."""
        ...

    def use_sboms(self, digests: Collection[str], now: datetime) -> None:
        """Note that these were rescanned."""
        ...

    def expire(self, kind: Expiring, before: datetime) -> int:
        """Remove what is older; gives how much that was. What is in use stays."""
        ...

    def publication(self, slot: str) -> Publication | None:
        """What was last published in a slot."""
        ...

    def publications(self, project: str | None = None) -> tuple[Publication, ...]:
        """All publications."""
        ...

    def save_publication(self, publication: Publication) -> None:
        """Store a publication after the forge confirmed it."""
        ...

    def baseline(self, project: str, target: str, platform: str) -> Baseline | None:
        """The size a target is compared with."""
        ...

    def save_baseline(self, baseline: Baseline) -> None:
        """Move the baseline of a target."""
        ...

    def measurements(self, since: datetime, until: datetime) -> tuple[Measurement, ...]:
        """Points of all targets' time series, oldest first."""
        ...

    def save_measurement(self, measurement: Measurement) -> None:
        """Add a point; the same cycle, target, platform and base replaces it."""
        ...

    def published(self, project: str | None = None) -> tuple[Published, ...]:
        """What was last found behind each target's `image:`, by project, target and platform."""
        ...

    def save_published(self, published: Published) -> None:
        """Store what was found for a target on one platform."""
        ...

    def first_seen(self, reference: str, digest: str) -> datetime | None:
        """When this digest was first seen behind this reference."""
        ...

    def sightings(self, reference: str) -> tuple[tuple[str, datetime], ...]:
        """Every digest seen behind a reference with its first time, oldest first."""
        ...

    def observe(self, reference: str, digest: str, now: datetime) -> datetime:
        """Record a sighting; returns the first time this digest was seen here."""
        ...

    def cached(self, kind: str, key: str) -> tuple[bytes, datetime] | None:
        """A cached answer (immutable content, a tag list) and when it was stored."""
        ...

    def cache(self, kind: str, key: str, value: bytes, now: datetime) -> None:
        """Cache an answer."""
        ...

    def audit(self, who: str, what: str, detail: str, now: datetime) -> None:
        """Append to the log of who asked for what and what was done."""
        ...

    def save_snooze(self, snooze: Snooze) -> None:
        """Store a snooze; a later one for the same image in the same project replaces it."""
        ...

    def snoozes(self, now: datetime) -> tuple[Snooze, ...]:
        """The snoozes that have not ended."""
        ...

    def remember(self, kind: str, key: str, now: datetime, value: str = "") -> bool:
        """Note a value in the ledger; True where it was not there: of many callers, one goes on."""
        ...

    def remembered(self, kind: str, key: str) -> str | None:
        """The value that the ledger holds, or None."""
        ...

    def noted(self, kind: str) -> dict[str, str]:
        """All that the ledger holds of a kind: the value of each key."""
        ...

    def forget(self, kind: str, key: str | None = None, *, before: datetime | None = None) -> None:
        """Take entries out of the ledger: one by its key, or all of a kind that are older than `before`."""
        ...

    def admit(self, kind: str, key: str, now: datetime, most: int, within: timedelta) -> timedelta:
        """Count what may happen so often within a time; zero where it may, else how long to wait."""
        ...

    def receipt(self, key: str) -> Receipt | None:
        """What became of a job that any machine may have done, or None where it has not ended."""
        ...

    def save_receipt(self, receipt: Receipt, now: datetime) -> Receipt:
        """Store a receipt; where the same job was finished before, that one stays and is given back."""
        ...

    def forget_receipts(self, before: datetime) -> None:
        """Let go of receipts older than `before`."""
        ...
