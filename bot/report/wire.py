"""The JSON documents of `discover`, `check` and `run`: bytes and seconds, keys that scripts rely on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from bot.model.checked import Checked
from bot.model.evidence import Evidence, Side
from bot.model.observation import Observation
from bot.model.published import Published
from bot.model.run import Decided, Problem, Proved, RunResult
from bot.model.update import Abandoned, Current, Decision, Failed, Skipped, Update, Waiting, outcome_reason
from bot.model.use import Use
from bot.model.vulnerability import Finding, Severity
from bot.report.shapes import (
    ArtifactShape,
    CheckDocument,
    CheckedUse,
    DecidedShape,
    DiscoverDocument,
    ExposureShape,
    FailedShape,
    FindingShape,
    HealthShape,
    Measured,
    ObserveDocument,
    PublicationShape,
    PublishedShape,
    RunDocument,
    Seconds,
    SightingShape,
    Sizes,
    UpdateShape,
    UseShape,
    Vulnerabilities,
)


def discover(uses: Iterable[Use]) -> dict[str, Any]:
    """The document of `refit discover`."""
    return _dump(DiscoverDocument(uses=[UseShape(**_use(use)) for use in uses]))


def discovered(uses: Iterable[Use]) -> Iterator[dict[str, Any]]:
    """The entries of the document of `refit discover`, one after the other."""
    return (_dump(UseShape(**_use(use))) for use in uses)


def check(checked: Checked) -> dict[str, Any]:
    """The document of `refit check`."""
    document = CheckDocument(
        uses=[_checked(decision) for decision in checked.decisions],
        published=[_published(one) for one in checked.published],
        requests=_requests(checked.requests),
        quota=dict(checked.quota),
    )
    return _dump(document)


def run(result: RunResult) -> dict[str, Any]:
    """The document of `refit run`."""
    decided = result.decided
    failed = [
        FailedShape(target=_subject(one), error=one.outcome.error, hint=one.outcome.hint)
        for one in decided
        if isinstance(one.outcome, Failed)
    ]
    document = RunDocument(
        cycle=result.cycle.name,
        attempt=result.cycle.attempt,
        updates=[_update(proved) for proved in result.updates],
        current=sum(isinstance(one.outcome, Current) for one in decided),
        waiting=[_decided(one, one.outcome) for one in decided if isinstance(one.outcome, Waiting)],
        abandoned=[_decided(one, one.outcome) for one in decided if isinstance(one.outcome, Abandoned)],
        skipped=[_decided(one, one.outcome) for one in decided if isinstance(one.outcome, Skipped)],
        failed=failed + _problems(result.problems),
        requests=_requests(result.requests),
        quota=dict(result.quota),
        issues=[one.url for one in result.issues],
        published=[_published(one) for one in result.published],
    )
    return _dump(document)


def observation(seen: Observation) -> dict[str, Any]:
    """The document of `refit observe`."""
    sightings = [
        SightingShape(
            reference=str(one.reference), digest=one.digest, change=one.change, first_seen=one.first_seen
        )
        for one in seen.sightings
    ]
    document = ObserveDocument(
        at=seen.at,
        asked=seen.asked,
        sightings=sightings,
        failed=_problems(seen.problems),
        requests=_requests(seen.requests),
        quota=dict(seen.quota),
    )
    return _dump(document)


def _requests(numbers: Mapping[str, int]) -> dict[str, int]:
    return {"HEAD": 0, "GET": 0, **numbers}


def _problems(problems: Iterable[Problem]) -> list[FailedShape]:
    return [FailedShape(target=one.subject, error=one.error, hint=one.hint) for one in problems]


def _dump(document: BaseModel) -> dict[str, Any]:
    return document.model_dump(mode="json", by_alias=True)


def _use(use: Use) -> dict[str, Any]:
    reference = use.reference
    return {
        "file": use.file,
        "line": use.line,
        "kind": use.kind,
        "stage": use.stage,
        "reference": use.text,
        "registry": reference.registry if reference else None,
        "repository": reference.repository if reference else None,
        "tag": reference.tag if reference else None,
        "digest": reference.digest if reference else None,
        "platform": use.platform,
        "skipped": use.skipped,
    }


def _checked(decision: Decision) -> CheckedUse:
    outcome = decision.outcome
    to = str(outcome.to) if isinstance(outcome, Update | Waiting) and outcome.to else None
    return CheckedUse(**_use(decision.use), outcome=outcome.word, to=to, reason=outcome_reason(outcome))


def _published(one: Published) -> PublishedShape:
    return PublishedShape(
        target=one.target,
        platform=str(one.platform),
        image=str(one.image),
        state=one.state,
        reason=one.reason,
        created=one.created,
        branch=str(one.branch) if one.branch else None,
        base=str(one.base) if one.base else None,
        base_created=one.base_created,
        source=one.source,
    )


def _subject(decided: Decided) -> str:
    return decided.target or f"{decided.use.file}:{decided.use.line}"


def _decided(decided: Decided, outcome: Waiting | Abandoned | Skipped) -> DecidedShape:
    return DecidedShape(
        target=decided.target,
        file=decided.use.file,
        line=decided.use.line,
        reference=decided.use.text,
        to=str(outcome.to) if isinstance(outcome, Waiting) and outcome.to else None,
        reason=outcome.reason,
    )


def _update(proved: Proved) -> UpdateShape:
    planned, publication = proved.planned, proved.publication
    first, *others = [_measured(proved, one) for one in proved.evidence] or [_measured(proved, None)]
    where = PublicationShape(kind=publication.kind, url=publication.url) if publication else None
    values: dict[str, Any] = {name: getattr(first, name) for name in Measured.model_fields}
    values["from"] = planned.use.text
    return UpdateShape(
        target=planned.subject,
        file=planned.use.file,
        line=planned.use.line,
        to=str(planned.update.to),
        verdict=proved.verdict.state,
        reasons=list(proved.verdict.reasons),
        publication=where,
        other_platforms=others,
        **values,
    )


def _measured(proved: Proved, evidence: Evidence | None) -> Measured:
    before = evidence.before if evidence else None
    after = evidence.after if evidence else None
    return Measured(
        platform=str(evidence.platform) if evidence else None,
        level=evidence.level if evidence else None,
        level_reason=evidence.level_reason if evidence else "",
        vulnerabilities=_vulnerabilities(evidence),
        size=_sizes(proved, evidence),
        build=Seconds(before=_build(before), after=_build(after)),
        health=HealthShape(
            before=before.health.state if before and before.health else None,
            after=after.health.state if after and after.health else None,
            seconds=Seconds(before=_health(before), after=_health(after)),
        ),
        exposure=ExposureShape.model_validate(after.scan) if after else None,
        artifacts=[ArtifactShape.model_validate(one) for one in (after.scan.artifacts if after else ())],
    )


def _build(side: Side | None) -> float | None:
    return round(side.build.seconds, 3) if side and side.build else None


def _health(side: Side | None) -> float | None:
    return round(side.health.seconds, 3) if side and side.health else None


def _vulnerabilities(evidence: Evidence | None) -> Vulnerabilities:
    comparison = evidence.comparison if evidence else None
    return Vulnerabilities(
        before=_counts(evidence.before if evidence else None),
        after=_counts(evidence.after if evidence else None),
        fixed=[finding(f) for f in comparison.fixed] if comparison else [],
        introduced=[finding(f) for f in comparison.introduced] if comparison else [],
        remaining=[finding(f) for f in (*comparison.remaining, *comparison.moved)] if comparison else [],
    )


def _counts(side: Side | None) -> dict[Severity, int] | None:
    """Null for a side that is missing or whose distribution is unknown: never 0."""
    return side.scan.counts() if side and side.scan.supported else None


def finding(one: Finding) -> FindingShape:
    """One vulnerability as the documents show it."""
    found = one.vulnerability
    return FindingShape(
        id=found.id,
        package=found.package.name,
        severity=found.severity,
        severity_source=found.severity_source,
        cause=one.cause,
        fixed_version=found.fixed_version,
    )


def _sizes(proved: Proved, evidence: Evidence | None) -> Sizes:
    before = evidence.before.size if evidence and evidence.before else None
    after = evidence.after.size if evidence else None
    baseline, target = proved.baseline, proved.planned.target
    same = baseline is not None and evidence is not None and baseline.platform == str(evidence.platform)
    return Sizes(
        before=before,
        after=after,
        baseline=baseline.size if baseline and same else None,
        budget=target.budget if target else None,
    )
