"""The shapes of the JSON documents; `python -m bot.report.schemas` writes their schemas from these models."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.model.artifact import ArtifactKind
from bot.model.evidence import HealthState, Level, VerdictState
from bot.model.observation import Change
from bot.model.published import BaseSource, Shipping
from bot.model.run import PublicationKind
from bot.model.use import UseKind
from bot.model.vulnerability import Cause, Severity

Outcome = Literal["current", "update", "waiting", "abandoned", "skipped", "failed"]


class _Shape(BaseModel):
    # Made up when the first document is: a terminal or a bot needs none of them.
    model_config = ConfigDict(extra="forbid", populate_by_name=True, from_attributes=True, defer_build=True)


class UseShape(_Shape):
    """One place in a file that names an image."""

    file: str
    line: int = Field(description="the line an edit would change, 1-based")
    kind: UseKind
    stage: str | None
    reference: str = Field(description="as resolved, arguments put in")
    registry: str | None
    repository: str | None
    tag: str | None
    digest: str | None
    platform: str | None
    skipped: str | None = Field(description="why it is left alone, or null")


class CheckedUse(UseShape):
    """A use with its outcome."""

    outcome: Outcome
    to: str | None = Field(description="the new reference, or null")
    reason: str | None = Field(description="in words; null only for current")


class PublishedShape(_Shape):
    """What is published for one target on one platform."""

    target: str
    platform: str
    image: str = Field(description="with the digest found there; without one where nothing is there")
    state: Shipping = Field(description="how it stands to the base that the branch holds")
    reason: str
    created: datetime | None = Field(description="when the published image says it was made")
    branch: str | None = Field(description="the base that the branch holds")
    base: str | None = Field(description="the base that it was built on, null where that cannot be told")
    base_created: datetime | None
    source: BaseSource | None = Field(description="what told the base")


class DiscoverDocument(_Shape):
    """What names an image, and where."""

    uses: list[UseShape]


class CheckDocument(_Shape):
    """What is outdated."""

    uses: list[CheckedUse]
    published: list[PublishedShape] = Field(default=[], description="for targets with an `image:`")
    requests: dict[str, int] = Field(description="registry requests by method; HEAD and GET always")
    quota: dict[str, str] = Field(default={}, description="what registries say is left, as in 98/100")


class FindingShape(_Shape):
    """One vulnerability of one package."""

    id: str
    package: str
    severity: Severity
    severity_source: str = Field(
        description="who gave the severity: debian, nvd, ghsa; empty where nobody did"
    )
    cause: Cause | None = Field(description="what brought the difference; null where nothing differs")
    fixed_version: str | None


class Vulnerabilities(_Shape):
    """Counts for each severity, null where they are unknown; and how the two scans differ."""

    before: dict[Severity, int] | None
    after: dict[Severity, int] | None
    fixed: list[FindingShape]
    introduced: list[FindingShape]
    remaining: list[FindingShape]


class Sizes(_Shape):
    """Unpacked bytes; null where nothing counted them."""

    before: int | None
    after: int | None
    baseline: int | None
    budget: int | None


class Seconds(_Shape):
    """Two cold measurements in seconds."""

    before: float | None
    after: float | None


class HealthShape(_Shape):
    """How the containers did; null where they were not started."""

    before: HealthState | None
    after: HealthState | None
    seconds: Seconds


class SecretShape(_Shape):
    """Where a secret lies in the new image; `path` is empty for the image's own config."""

    rule: str
    title: str
    severity: Severity
    path: str
    line: int


class MisconfigurationShape(_Shape):
    """A check of the new image's config that failed."""

    id: str
    title: str
    severity: Severity
    message: str
    resolution: str


class IgnoredShape(_Shape):
    """A finding that the ignore file or a VEX document hid."""

    id: str
    package: str
    status: str
    source: str
    reason: str


class ExposureShape(_Shape):
    """What the scan of the new image found beside vulnerabilities; null where nobody looked."""

    secrets: list[SecretShape] | None
    misconfigurations: list[MisconfigurationShape] | None
    ignored: list[IgnoredShape]


class ArtifactShape(_Shape):
    """A document kept about the new image."""

    kind: ArtifactKind
    digest: str
    size: int
    url: str


class Measured(_Shape):
    """What was measured on one platform."""

    platform: str | None
    level: Level | None
    level_reason: str = Field(description="why not more was proved; empty at level health")
    vulnerabilities: Vulnerabilities
    size: Sizes
    build: Seconds
    health: HealthShape
    exposure: ExposureShape | None
    artifacts: list[ArtifactShape]


class PublicationShape(_Shape):
    """What carries the verdict."""

    kind: PublicationKind
    url: str


class UpdateShape(Measured):
    """One update: what was measured on its first platform, and on the others."""

    target: str
    file: str
    line: int
    from_: str = Field(alias="from")
    to: str
    verdict: VerdictState
    reasons: list[str]
    publication: PublicationShape | None
    other_platforms: list[Measured]


class DecidedShape(_Shape):
    """A use that needed no proof."""

    target: str | None
    file: str
    line: int
    reference: str
    to: str | None
    reason: str


class FailedShape(_Shape):
    """What failed, why, and what to do."""

    target: str
    error: str
    hint: str


class SightingShape(_Shape):
    """What is behind a tag now."""

    reference: str
    digest: str
    change: Change = Field(description="new: never seen; moved: another digest was there; same: seen before")
    first_seen: datetime


class ObserveDocument(_Shape):
    """What a round of HEADs saw."""

    at: datetime
    asked: int
    sightings: list[SightingShape]
    failed: list[FailedShape]
    requests: dict[str, int] = Field(description="registry requests by method; HEAD and GET always")
    quota: dict[str, str] = Field(default={}, description="what registries say is left, as in 98/100")


class RunDocument(_Shape):
    """What one cycle did."""

    cycle: str
    attempt: int
    updates: list[UpdateShape]
    current: int
    waiting: list[DecidedShape]
    abandoned: list[DecidedShape]
    skipped: list[DecidedShape]
    failed: list[FailedShape]
    requests: dict[str, int] = Field(description="registry requests by method; HEAD and GET always")
    quota: dict[str, str] = Field(default={}, description="what registries say is left, as in 98/100")
    issues: list[str] = Field(default=[], description="issues that are open for targets: where to read them")
    published: list[PublishedShape] = Field(default=[], description="for targets with an `image:`")
