"""The dashboard issue of a project, where the configuration wants one."""

from __future__ import annotations

from typing import Final

from bot.cycle.tally import Run
from bot.errors import ForgeRefused
from bot.model import marker
from bot.model.draft import Draft
from bot.model.run import Issue, PublicationState
from bot.model.target import Project
from bot.report import dashboard
from bot.report.dashboard import Standing

DIGEST: Final = "dashboard"  # always the same: closed by a person, it stays closed


def show(project: Project, run: Run) -> None:
    """Bring the dashboard to what this cycle found out, its boxes empty again.

    Raises:
        ForgeError: The forge did not take it; the next cycle tries again.
    """
    wanted = _wanted(project, run)
    if run.dry:
        run.tally.drafts.append(Draft(project.name, issue=wanted))
        return
    forge, store = run.parts.forge(project), run.parts.store
    try:
        existing = forge.find_issue(project, wanted.slot)
        if existing is not None and existing.state is not PublicationState.OPEN:
            return
        same = existing and existing.body_digest == marker.body_digest(wanted.title, wanted.body)
        if not same:
            store.save_publication(forge.publish_issue(project, wanted, existing))
    except ForgeRefused as error:  # a project may have its issues switched off
        run.tally.notes.append(f"no dashboard in {project.name}: {error.message}")


def _wanted(project: Project, run: Run) -> Issue:
    slot = marker.slot(project.name, DIGEST, [])
    standing = Standing(
        project.name,
        [one for one in run.tally.updates if one.planned.project.name == project.name],
        [one for one in run.tally.decided if one.project == project.name],
    )
    body = dashboard.body(standing, marker=marker.marker(slot, DIGEST))
    return Issue(slot, DIGEST, dashboard.TITLE, body, ("refit",))
