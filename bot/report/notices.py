"""What a cycle and a scan have to tell unasked. Pure: the same result, the same notices."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence

from bot.model.evidence import VerdictState
from bot.model.notice import Notice, NoticeKind
from bot.model.run import Decided, Planned, Proved, RunResult
from bot.model.sboms import Rescanned, SbomRescan
from bot.model.severity import Severity
from bot.model.update import Failed, Waiting, outcome_reason
from bot.model.vulnerability import Vulnerability
from bot.report import wording

_SHOWN = 30
# What is measured anew every time; how many of a severity, and the number of a CVE, say what it is.
_MEASURED = re.compile(
    rf"(?<![\w-])\d++(?:[.,:]\d++)*+(?! (?:{'|'.join(one.lower() for one in Severity)})\b)"
)


def of_cycle(result: RunResult) -> tuple[Notice, ...]:
    """One summary of everything, and each blocked update for those who want only these."""
    return (_summary(result), *(_blocked(one) for one in result.updates if _is_blocked(one)))


def of_sboms(result: SbomRescan) -> Iterator[Notice]:
    """Each critical vulnerability that became known of what a target runs on."""
    for target, known in result.new:
        found = known.vulnerability
        if found.severity is Severity.CRITICAL:
            fix = f"fixed in {found.fixed_version}" if found.fixed_version else "no fix yet"
            yield Notice(
                NoticeKind.CRITICAL,
                found_in(target.name, found),
                "known",
                f"New critical vulnerability in {target.name}: {found.id}",
                (f"{found.package.name} {found.package.version}: {fix}", found.title, *_doubt(target)),
            )


def _doubt(target: Rescanned) -> Iterator[str]:
    if target.told_by:
        yield f"Cause: {target.cause} (told last from {target.told_by}, now by {target.scan.scanner})"


def found_in(target: str, found: Vulnerability) -> str:
    """The key of a notice about a vulnerability of a target, on whatever platform."""
    return f"{target} {found.id} {found.package.name}"


def failure(what: str, message: str, hint: str) -> Notice:
    """Something that the bot does by itself failed as a whole."""
    lines = (message, hint) if hint else (message,)
    return Notice(
        NoticeKind.FAILURE,
        what,
        _digest([_without_measures(message)]),
        f"Refit could not do its work: {what}",
        lines,
    )


def _summary(result: RunResult) -> Notice:
    lines = [*(_proved(one) for one in result.updates), *_held(result.decided)]
    lines += [f"failed · {one.subject}: {one.error}" for one in result.problems]
    shown = (*lines[:_SHOWN], *([f"… and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []))
    return Notice(NoticeKind.SUMMARY, "cycle", _digest(lines), _headline(result), tuple(shown))


def _headline(result: RunResult) -> str:
    urls = {one.publication.url for one in result.updates if one.publication}
    waiting = sum(isinstance(one.outcome, Waiting) for one in result.decided)
    blocked = sum(_is_blocked(one) for one in result.updates)
    parts = [wording.count(len(urls), "pull request")]
    parts += [f"{number} {word}" for number, word in ((blocked, "blocked"), (waiting, "waiting")) if number]
    parts += [f"{len(result.problems)} failed"] if result.problems else []
    return f"Refit {result.cycle.id}: {', '.join(parts)}"


def _proved(proved: Proved) -> str:
    where = proved.publication.url if proved.publication else proved.publication_note
    return f"{proved.verdict.state} · {proved.planned.subject}: {moves(proved.planned)} {where}".strip()


def moves(planned: Planned) -> str:
    """What an update moves, in few words: `debian:bookworm-slim → bookworm-20261110-slim`."""
    before, to = planned.use.unpinned, planned.update.to
    unpinned = str(to.with_digest(None))
    after = planned.update.name or (unpinned if unpinned != before else wording.short_digest(to.digest or ""))
    return f"{before} → {after}"


def _held(decided: Iterable[Decided]) -> Iterator[str]:
    """What waits or could not be decided; ages that grow by the day are no change."""
    for one in decided:
        if isinstance(one.outcome, Waiting | Failed):
            where = one.subject
            image = one.use.unpinned
            yield f"{one.outcome.word} · {where}: {image}: {outcome_reason(one.outcome)}"


def _blocked(proved: Proved) -> Notice:
    planned = proved.planned
    name = f"{planned.project.name}#{planned.subject}"
    reasons = proved.verdict.reasons
    url = proved.publication.url if proved.publication else ""
    return Notice(
        NoticeKind.BLOCKED,
        f"{name} {planned.use.text.partition('@')[0]}",
        _digest([str(planned.update.to), *map(_without_measures, reasons)]),
        f"Blocked in {name}: {moves(planned)}",
        (*reasons, *([url] if url else [])),
    )


def _is_blocked(proved: Proved) -> bool:
    return proved.verdict.state is VerdictState.BLOCK


def _without_measures(text: str) -> str:
    """What a reader would call the same though a size, a time or an exit code differs."""
    return _MEASURED.sub("#", text)


def _digest(lines: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode(errors="surrogatepass")).hexdigest()[:16]
