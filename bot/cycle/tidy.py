"""Tidy: pull requests of ours that the project no longer needs, closed with the reason and a link.

Only what is certain is closed: the base branch holds the proposal, another pull request of this cycle
carries the image, or nothing names it any more. Whatever waits or could not be decided stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace

from bot.cycle.grouping import whole_file, whole_project
from bot.cycle.tally import Run
from bot.model.reference import Reference
from bot.model.run import Publication, PublicationKind, PublicationState
from bot.model.target import Project
from bot.report import comments
from bot.report.quote import code


def tidy(project: Project, slots: AbstractSet[str], run: Run) -> None:
    """Look at each pull request that is recorded as open and that this cycle did not ask for.

    Args:
        project: Where.
        slots: What this cycle asked for.
        run: What the cycle found out.

    Raises:
        ForgeError: The forge did not take it; the next cycle tries again.
    """
    forge, store = run.parts.forge(project), run.parts.store
    if any(problem.subject == project.name for problem in run.tally.problems):
        return  # it could not be read, so nothing is known of it
    for recorded in store.publications(project.name):
        wanted = recorded.slot in slots or recorded.kind is not PublicationKind.PULL_REQUEST
        if wanted or recorded.state is not PublicationState.OPEN:
            continue
        live = forge.find(project, recorded.slot, recorded.branch)
        if run.dry:
            _foretell(project, live, run)
        else:
            store.save_publication(_settled(project, recorded, live, run))


def _foretell(project: Project, live: Publication | None, run: Run) -> None:
    """What a dry run would have closed, and with which words."""
    if live is not None and live.state is PublicationState.OPEN and (reason := _reason(project, live, run)):
        run.tally.notes.append(f"would close {live.url}: {reason}")


def _settled(project: Project, recorded: Publication, live: Publication | None, run: Run) -> Publication:
    forge = run.parts.forge(project)
    if live is None:
        return replace(recorded, state=PublicationState.CLOSED)
    if live.state is PublicationState.MERGED:
        return forge.close(project, live, "")  # only its branch is left to go
    reason = _reason(project, live, run) if live.state is PublicationState.OPEN else ""
    if not reason:
        return live
    run.parts.store.audit("refit", "close", f"{live.url} {reason}", run.parts.clock.now())
    return forge.close(project, live, reason)


def _reason(project: Project, live: Publication, run: Run) -> str:
    """Why it is not needed any more; empty where that is not certain."""
    proposed = _parsed(live.digest)
    if successor := _successor(project, live, proposed, run):
        return comments.superseded(successor)
    if proposed is None:
        return ""
    uses = [one.use for one in run.tally.decided if one.project == project.name]
    if any(str(use.reference) == live.digest for use in uses):
        return comments.held(code(live.digest))
    named = {use.reference.name for use in uses if use.reference} | set(_named(project, run))
    skipped = any(use.reference is None and proposed.name in use.text for use in uses)
    return "" if proposed.name in named or skipped else comments.unused(code(proposed.name))


def _successor(project: Project, live: Publication, proposed: Reference | None, run: Run) -> str:
    """Where the same image is carried now: files came or went, or other things share a pull request."""
    for slot, to, files, where in _carried(project, run):
        same = _same_image(to, proposed) if proposed else _shared(project, live, files)
        if same and slot != live.slot:
            return where
    return ""


def _carried(project: Project, run: Run) -> Iterator[tuple[str, Reference | None, Iterable[str], str]]:
    """What this cycle proposes there: slot, image (None for several), files, and where it is read."""
    for draft in run.tally.drafts:
        if draft.project == project.name and (pull := draft.pull_request) is not None:
            yield pull.slot, _parsed(pull.digest), pull.files, "the pull request above"
    for one in run.tally.updates:
        if one.planned.project.name == project.name and (publication := one.publication) is not None:
            yield publication.slot, one.planned.update.to, [one.planned.use.file], publication.url


def _shared(project: Project, live: Publication, files: Iterable[str]) -> bool:
    """Whether a pull request of several images was that of the whole project, or of one of these files.

    Which images they were it does not say: those of another file may be carried elsewhere while its own wait.
    """
    return live.slot in {whole_project(project), *(whole_file(project, file) for file in files)}


def _same_image(one: Reference | None, other: Reference) -> bool:
    return one is not None and (one.name, one.tag) == (other.name, other.tag)


def _named(project: Project, run: Run) -> Iterable[str]:
    for one in run.tally.updates:
        if one.planned.project.name == project.name and one.planned.use.reference is not None:
            yield one.planned.use.reference.name


def _parsed(text: str) -> Reference | None:
    try:
        return Reference.parse(text)
    except ValueError:
        return None
