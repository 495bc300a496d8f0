"""The quarterly size report: one issue for each project and quarter, from the store's measurements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from bot.cycle.around import bases_made, surroundings
from bot.cycle.growth import growth
from bot.cycle.parts import Parts
from bot.errors import ForgeError
from bot.model import marker
from bot.model.measurement import Measurement
from bot.model.run import Issue, Problem, Publication, PublicationState
from bot.model.target import Project
from bot.report.size.markdown import markdown, title
from bot.report.size.quarter import Quarter, parse_quarter, quarter_of
from bot.report.size.summing import Frame, report
from bot.report.size.values import SizeReport

_YEARS_BACK = timedelta(days=800)
_LABELS = ("refit", "size-report")


def size_report(parts: Parts, project: Project | None, quarter: str | None) -> SizeReport:
    """The report of one quarter, for one project or for all.

    Args:
        parts: The collaborators.
        project: Only this one, or None for the fleet.
        quarter: `2026Q3`; None is the last complete one, or the current one "so far" where nothing
            was measured before it.

    Raises:
        ValueError: The quarter is written otherwise.
    """
    now, zone = parts.clock.now(), parts.policy.zone
    measured = _measurements(parts, project, now)
    chosen = parse_quarter(quarter) if quarter else _default_quarter(measured, parts)
    targets = [target for one in parts.projects for target in one.targets]
    frame = Frame(
        quarter=chosen,
        zone=zone,
        now=now,
        baselines=[
            baseline
            for key in {(m.project, m.target, m.platform) for m in measured}
            if (baseline := parts.store.baseline(*key)) is not None
        ],
        budgets={(target.project, target.name): target.budget for target in targets if target.budget},
        bases_made=bases_made(parts),
        growth=partial(growth, parts.store),
        around=surroundings(parts, project),
    )
    return report(measured, frame)


@dataclass(frozen=True, slots=True)
class Reports:
    """The issues that carry the reports, and the projects whose forge did not take theirs."""

    published: tuple[Publication, ...] = ()
    problems: tuple[Problem, ...] = ()


def publish_reports(parts: Parts, quarter: str | None) -> Reports:
    """One issue for each project that has measurements; found again by its marker, never two.

    Raises:
        StoreError: The store cannot be used; a forge that fails is a value in the result.
        ValueError: The quarter is written otherwise.
    """
    published: list[Publication] = []
    problems: list[Problem] = []
    for project in parts.projects:
        made = size_report(parts, project, quarter)
        try:
            published += [_publish(parts, project, made)] if made.targets else []
        except ForgeError as error:
            problems.append(Problem(project.name, error.message, error.hint))
    return Reports(tuple(published), tuple(problems))


def _publish(parts: Parts, project: Project, made: SizeReport) -> Publication:
    forge = parts.forge(project)
    slot = _slot(project, made.quarter)
    existing = forge.find_issue(project, slot)
    if existing is not None and existing.state is not PublicationState.OPEN:
        return existing
    body = markdown(made, marker=marker.marker(slot, str(made.quarter)))
    wanted = Issue(slot, str(made.quarter), title(made), body, _LABELS)
    published = forge.publish_issue(project, wanted, existing)
    parts.store.save_publication(published)
    _close_last(parts, project, made.quarter, published)
    return published


def _close_last(parts: Parts, project: Project, quarter: Quarter, published: Publication) -> None:
    """The report of the quarter before is done: close it with a link to the new one."""
    forge = parts.forge(project)
    last = forge.find_issue(project, _slot(project, quarter.previous))
    if last is not None and last.state is PublicationState.OPEN:
        forge.close(project, last, f"The next size report: {published.url}")


def _slot(project: Project, quarter: Quarter) -> str:
    return marker.slot(project.name, f"size-report-{quarter}", [])


def _measurements(parts: Parts, project: Project | None, now: datetime) -> list[Measurement]:
    known = parts.store.measurements(now - _YEARS_BACK, now + timedelta(days=1))
    return [m for m in known if project is None or m.project == project.name]


def _default_quarter(measured: Sequence[Measurement], parts: Parts) -> Quarter:
    """The last complete quarter, else the current one so far where nothing is older."""
    current = quarter_of(parts.clock.now(), parts.policy.zone)
    begin = current.start(parts.policy.zone)
    return current.previous if any(m.at < begin for m in measured) else current
