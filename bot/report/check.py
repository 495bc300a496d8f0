"""What Refit says on a commit: the verdict at a glance, everything below it, a word on each line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.model.evidence import VerdictState
from bot.model.pulls import Annotation, Check, Conclusion, OpenPull
from bot.model.run import Proved, Publication
from bot.report import facts, pull_request, wording
from bot.report.quote import code, visible
from bot.report.quote import title as plain

NAME: Final = "refit"
LIMIT: Final = 60_000  # of GitHub's 65,535; a comment has to hold the summary as well
_CONCLUSIONS: Final = {
    VerdictState.PASS: Conclusion.SUCCESS,
    VerdictState.WARN: Conclusion.NEUTRAL,
    VerdictState.BLOCK: Conclusion.FAILURE,
}


def for_ours(proved: Sequence[Proved], publication: Publication) -> Check:
    """The check on the commit of our own pull request: what its body says, and what did not fit there."""
    return _check(proved, NAME, publication.commit, publication.url, "")


def for_others(proved: Sequence[Proved], pull: OpenPull, *, image: str, beyond: int) -> Check:
    """The check on the commit of somebody else's pull request.

    Args:
        proved: The updates that it makes, measured on the base branch.
        pull: The pull request.
        image: What moves; one pull request may move several images, each with its own check.
        beyond: How many other files it changes.
    """
    name = f"{NAME}: {plain(image, limit=80)}"
    return _check(proved, name, pull.commit, pull.url, _scope(proved, beyond))


def as_comment(check: Check) -> str:
    """The same as one comment, where only its title can stand on the commit."""
    return f"{check.summary}\n\n{check.details}"


def _check(proved: Sequence[Proved], name: str, commit: str, url: str, scope: str) -> Check:
    summary = "\n\n".join(part for part in (pull_request.verdict(proved), scope) if part)
    return Check(
        name=name,
        commit=commit,
        url=url,
        conclusion=_CONCLUSIONS[facts.verdict(proved).state],
        title=pull_request.sentence(proved),
        summary=summary,
        details=pull_request.measured(proved, limit=LIMIT - len(summary)),
        annotations=tuple(_annotation(one) for one in proved),
    )


def _scope(proved: Sequence[Proved], beyond: int) -> str:
    """What was measured, said by lines: a pull request may change more than them."""
    places = dict.fromkeys((use.file, use.line) for one in proved for use in one.planned.uses)
    shown = wording.listed([f"{code(file)} line {line}" for file, line in list(places)[:5]])
    text = f"Refit measured what this pull request changes in {shown}, on the base branch as it is now."
    if beyond:
        more = wording.count(beyond, "other file")
        text += f" It changes {more} as well: nothing here speaks about {'that' if beyond == 1 else 'those'}."
    return text


def _annotation(one: Proved) -> Annotation:
    """A word on the line that changes; no Markdown is shown there."""
    use, to = one.planned.use, one.planned.update.to
    reasons = [wording.sentence(reason) for reason in one.verdict.reasons[:5]]
    gain = facts.fixed(facts.cases([one]))
    fixes = f"Fixes {wording.severities(gain)}." if gain and any(gain.values()) else ""
    lines = [f"{use.text} -> {to}", fixes, *reasons]
    message = "\n".join(visible(line, limit=500) for line in lines if line)
    title = f"{one.verdict.state.value.upper()}: {facts.image(one)}"
    return Annotation(use.file, use.line, _CONCLUSIONS[one.verdict.state], title, message)
