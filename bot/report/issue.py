"""The issue of one target: an update that is blocked, or a tag that no longer moves. Short."""

from __future__ import annotations

from bot.model.run import Decided, Proved
from bot.model.update import Abandoned
from bot.report import facts, wording
from bot.report.quote import code, quote
from bot.report.quote import title as plain
from bot.report.sections import failure_log
from bot.report.summary import table, vital_facts

_REASON_LIMIT = 600
_SILENT = "Close this and Refit is silent about it until the next digest."


def blocked_title(proved: Proved) -> str:
    """`Blocked: debian:bookworm-slim to 2026-11-10 in backend`."""
    where = plain(proved.planned.subject, limit=60)
    return f"Blocked: {facts.image(proved)} to {facts.destination(proved)} in {where}"


def blocked(proved: Proved, *, marker: str) -> str:
    """Why an update is not proposed: the reasons, the table, the last lines of what failed."""
    cases = facts.cases([proved])
    reasons = [f"- {quote(wording.sentence(text), limit=_REASON_LIMIT)}" for text in proved.verdict.reasons]
    use = proved.planned.use
    parts = [
        f"⛔ **BLOCK** by your policy: {quote(facts.image(proved))} in {code(use.file)}, line {use.line}.",
        "\n".join(reasons),
        *(table(case) for case in cases[:3] if case.evidence.after),
        vital_facts([proved], cases),
    ]
    logs = [case.evidence.failure_log for case in cases if case.evidence.failure_log]
    parts += [f"Last lines of what failed:\n\n{failure_log(log)}" for log in logs[:1]]
    parts += [f"Refit looks again in the next cycle and closes this when it is solved. {_SILENT}", marker]
    return "\n\n".join(part for part in parts if part) + "\n"


def abandoned_title(decided: Decided) -> str:
    """`nginx:1.27-alpine no longer moves (frontend)`."""
    image = plain(decided.use.text.partition("@")[0], limit=100)
    return f"{image} no longer moves ({plain(decided.target or decided.use.file, limit=60)})"


def abandoned(decided: Decided, outcome: Abandoned, *, marker: str) -> str:
    """Since when a tag stands still, and what to choose from."""
    use = decided.use
    image = code(use.text.partition("@")[0])
    parts = [
        f"{image} in {code(use.file)}, line {use.line}, gets no more updates.",
        quote(wording.sentence(outcome.reason), limit=_REASON_LIMIT),
    ]
    if outcome.candidates:
        parts.append("To choose from, best first: " + ", ".join(code(tag) for tag in outcome.candidates[:10]))
    parts += [f"Refit closes this when the line names another tag. {_SILENT}", marker]
    return "\n\n".join(parts) + "\n"
