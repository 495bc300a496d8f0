"""Offers: whether a newer base of a target would fix something, by the two base images compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from bot.cycle.compare import KnownBase, compare
from bot.cycle.dashboard import DIGEST as DASHBOARD
from bot.cycle.issues import slot_of
from bot.cycle.parts import Parts
from bot.cycle.plan import make_plan
from bot.cycle.scans import cached_scan
from bot.errors import RefitError
from bot.model.evidence import BaseImage, BasePair
from bot.model.manifest import Platform
from bot.model.offer import Offer
from bot.model.run import Planned, PublicationKind, PublicationState
from bot.model.target import Target
from bot.model.update import Update
from bot.model.vulnerability import Comparison, Scan
from bot.ports import ScanRequest
from bot.report.wording import short_digest


def offers(parts: Parts, target: Target) -> tuple[Offer, ...]:
    """What newer bases of a target would fix; one that fixes nothing is not offered.

    It builds nothing: both base images are scanned from their registry with the newest database.

    Raises:
        RefitError: The project cannot be read, or a scan failed.
    """
    projects = tuple(one for one in parts.projects if one.name == target.project)
    plan = make_plan(replace(parts, projects=projects))
    mine = [one for one in plan.updates if one.target is not None and one.target.name == target.name]
    return tuple(offer for planned in mine for offer in _offer(planned, parts))


def _offer(planned: Planned, parts: Parts) -> Iterator[Offer]:
    pair = next((one for one in planned.bases if one.before is not None), None)
    comparison = _comparison(pair, parts) if pair else None
    if comparison is None or not comparison.fixed or planned.target is None:
        return
    update, reference = planned.update, planned.use.reference
    image = str(reference.with_digest(None)) if reference else planned.use.text
    yield Offer(
        project=planned.project.name,
        target=planned.target.name,
        image=image,
        to=_named(update, image),
        fixed=Counter(one.vulnerability.severity for one in comparison.fixed),
        introduced=Counter(one.vulnerability.severity for one in comparison.introduced),
        url=pull_request(parts, planned.project.name, str(update.to)),
    )


def _named(update: Update, image: str) -> str:
    """What people call the new one: its most precise tag, else its tag, else its digest in short."""
    unpinned = str(update.to.with_digest(None))
    return update.name or (unpinned if unpinned != image else short_digest(update.to.digest or ""))


def _comparison(pair: BasePair, parts: Parts) -> Comparison | None:
    if pair.before is None:
        return None
    before, after = (_scan(base, pair.platform, parts) for base in (pair.before, pair.after))
    if not (before.supported and after.supported):
        return None
    return compare(before, after, KnownBase(pair.before.diff_ids), KnownBase(pair.after.diff_ids))


def _scan(base: BaseImage, platform: Platform, parts: Parts) -> Scan:
    return cached_scan(ScanRequest(base.reference, remote=True, digest=base.digest, platform=platform), parts)


def pull_request(parts: Parts, project: str, proposal: str) -> str:
    """Where the open pull request for a new reference is; empty where our store knows of none."""
    for one in parts.store.publications(project):
        is_open = one.state is PublicationState.OPEN and one.kind is PublicationKind.PULL_REQUEST
        if is_open and one.digest == proposal:
            return one.url
    return ""


def all_offers(parts: Parts) -> tuple[Offer, ...]:
    """What newer bases of all targets would fix, from one look at the registries; a failure is no offer."""
    found: list[Offer] = []
    with suppress(RefitError):
        for planned in make_plan(parts).updates:
            with suppress(RefitError):
                found.extend(_offer(planned, parts))
    return tuple(found)


def offers_or_none(parts: Parts, target: Target) -> tuple[Offer, ...]:
    """`offers`, where a failure is no offer: a rescan is answered all the same."""
    try:
        return offers(parts, target)
    except RefitError as error:
        parts.progress.detail(f"no offer for {target.name}: {error.message}")
        return ()


def report_page(parts: Parts, target: Target) -> str:
    """Where the forge shows how a target stands: its issue, else the dashboard, else the size report."""
    project = next(one for one in parts.projects if one.name == target.project)
    own = slot_of(project, target.name)
    issues = [
        one
        for one in parts.store.publications(target.project)
        if one.kind is PublicationKind.ISSUE and one.state is PublicationState.OPEN
    ]
    ranked = sorted(issues, key=lambda one: (one.slot != own, one.digest != DASHBOARD, one.slot))
    return next((one.url for one in ranked if one.slot == own or "|target-" not in one.slot), "")
