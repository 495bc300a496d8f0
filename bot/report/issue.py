"""The issue of one target: everything that no pull request can solve, on one page. Short."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bot.model.run import Decided, Proved
from bot.model.update import Abandoned
from bot.model.vulnerability import Severity, Vulnerability
from bot.report import facts, wording
from bot.report.quote import code, quote, vulnerability
from bot.report.quote import title as plain
from bot.report.section import LIMIT, fitting, titled
from bot.report.sections import failure_log
from bot.report.summary import table, vital_facts

_REASON_LIMIT: Final = 600
_SHOWN: Final = 50
_FOOT: Final = (
    "Refit keeps this issue up to date and closes it when it is solved. Close it yourself, and Refit is "
    "silent until there is something new to say."
)

_CUT: Final = (
    "The rest is cut to fit GitHub's 65,536 characters; `refit run --dry-run --format json` has all of it."
)
_WAYS: Final = "The fixed packages exist: the next base takes them, or a build that upgrades packages does."


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with one target.

    Attributes:
        target: Its name, or the file where no target builds it.
        blocked: Updates that the verdict blocks.
        abandoned: Uses whose tag no longer moves.
        vulnerable: Serious vulnerabilities that no newer base fixes, worst first.
        image: The base that they were found on; empty where there are none.
    """

    target: str
    blocked: tuple[Proved, ...] = ()
    abandoned: tuple[Decided, ...] = ()
    vulnerable: tuple[Vulnerability, ...] = ()
    image: str = ""

    def __bool__(self) -> bool:
        return bool(self.blocked or self.abandoned or self.vulnerable)

    @property
    def digest(self) -> str:
        """Names what there is to say: another digest is something new."""
        said = [
            sorted({str(one.planned.update.to) for one in self.blocked}),
            sorted({one.use.text for one in self.abandoned}),
            sorted({f"{one.id} {one.package.name}" for one in self.vulnerable}),
        ]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def title(trouble: Trouble) -> str:
    """`frontend: nginx:1.27-alpine no longer moves`."""
    said = [
        *(f"{facts.image(one)} to {facts.destination(one)} is blocked" for one in trouble.blocked),
        *(f"{_image(one)} no longer moves" for one in trouble.abandoned),
    ]
    if trouble.vulnerable:
        said.append(f"{wording.severities(_counts(trouble.vulnerable))} without an update")
    more = f", and {len(said) - 2} more" if len(said) > 2 else ""
    target = plain(trouble.target, limit=60)
    return titled(f"{target}: {'; '.join(said[:2])}{more}", f"{target}: {said[0]}, and {len(said) - 1} more")


def body(trouble: Trouble, *, marker: str) -> str:
    """Why each thing stands still, and what a person can do; within GitHub's limit for any number of them."""
    foot = f"{_FOOT}\n\n{marker}\n"
    for logs in (True, False):
        text = f"{_told(trouble, logs=logs)}\n\n{foot}"
        if len(text) <= LIMIT:
            return text
    return fitting(text, _CUT, foot)


def _told(trouble: Trouble, *, logs: bool) -> str:
    parts = [
        *(_blocked(one, logs=logs) for one in trouble.blocked),
        *(_abandoned(one, one.outcome) for one in trouble.abandoned if isinstance(one.outcome, Abandoned)),
    ]
    if trouble.vulnerable:
        parts.append(_vulnerable(trouble))
    return "\n\n".join(parts)


def _blocked(proved: Proved, *, logs: bool) -> str:
    """Why an update is not proposed: the reasons, the table, the last lines of what failed."""
    cases = facts.cases([proved])
    reasons = [f"- {quote(wording.sentence(text), limit=_REASON_LIMIT)}" for text in proved.verdict.reasons]
    use = proved.planned.use
    image = f"{facts.image(proved)} to {facts.destination(proved)}"
    parts = [
        f"### ⛔ {quote(image)} is blocked",
        f"By your policy, in {code(use.file)}, line {use.line}:",
        "\n".join(reasons),
        *(table(case) for case in cases[:3]),
        vital_facts([proved], cases),
    ]
    failed = [case.log for case in cases if case.log and logs]
    parts += [f"Last lines of what failed:\n\n{failure_log(log)}" for log in failed[:1]]
    parts.append("Refit tries again when the image, the Dockerfile or the build context changes.")
    return "\n\n".join(part for part in parts if part)


def _abandoned(decided: Decided, outcome: Abandoned) -> str:
    """Since when a tag stands still, and what to choose from."""
    use = decided.use
    parts = [
        f"### ⚠️ {quote(_image(decided))} no longer moves",
        f"{code(use.text.partition('@')[0])} in {code(use.file)}, line {use.line}, gets no more updates.",
        quote(wording.sentence(outcome.reason), limit=_REASON_LIMIT),
    ]
    if outcome.candidates:
        parts.append("To choose from, best first: " + ", ".join(code(tag) for tag in outcome.candidates[:10]))
    return "\n\n".join(parts)


def _vulnerable(trouble: Trouble) -> str:
    """What is known and fixed by the distribution, and in no base that could be proposed."""
    counts = wording.severities_in_words(_counts(trouble.vulnerable))
    parts = [
        f"### ⚠️ {counts} without an update",
        f"{code(trouble.image)} is the newest that your rules allow, and does not fix these. {_WAYS}",
        "\n".join(_rows(trouble.vulnerable[:_SHOWN])),
    ]
    if len(trouble.vulnerable) > _SHOWN:
        parts.append(f"… and {len(trouble.vulnerable) - _SHOWN} more.")
    return "\n\n".join(parts)


def _rows(found: Sequence[Vulnerability]) -> Iterable[str]:
    yield "| Vulnerability | Severity | Package | Fixed in |"
    yield "|:--|:--|:--|:--|"
    for one in found:
        package = code(f"{one.package.name} {one.package.version}", limit=80)
        fixed = code(one.fixed_version or "", limit=80)
        yield f"| {vulnerability(one.id)} | {one.severity.value.lower()} | {package} | {fixed} |"


def _counts(found: Iterable[Vulnerability]) -> dict[Severity, int]:
    counts = dict.fromkeys(Severity, 0)
    for one in found:
        counts[one.severity] += 1
    return counts


def _image(decided: Decided) -> str:
    return plain(decided.use.unpinned, limit=100)
