"""Comments that answer findings: `# refit: ignore=RF110 it opens raw sockets`.

Such a comment speaks for the instruction or directive that follows it, or whose lines it stands in; in nginx
also for the line it ends. Without a reason it does nothing: a reader must learn why.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from bot.dockerfile.directives import Directives
from bot.dockerfile.instructions import instructions
from bot.model.finding import Finding, Ignored

Ignores = Mapping[tuple[int, str], str]
"""The reason by line and rule."""

_MARK: Final = b"refit:"
_COMMENT: Final = re.compile(
    rb"#[ \t]*refit:[ \t]*ignore[ \t]*=[ \t]*([A-Z]{2}\d{3,4}(?:[ \t]*,[ \t]*[A-Z]{2}\d{3,4})*)"
    rb"[ \t:]+([^\s][^\r\n]*)"
)


def in_dockerfile(data: bytes) -> Ignores:
    """What the comments of a Dockerfile answer, by the line of the instruction they speak for."""
    if _MARK not in data:
        return {}
    found: dict[tuple[int, str], str] = {}
    directives = Directives.of(data)
    before = 0
    for instruction in instructions(data, directives):
        found.update(_answers(data[before : instruction.body], instruction.line))
        before = instruction.end
    return found


def in_nginx(data: bytes) -> Ignores:
    """What the comments of an nginx configuration answer: their own line, or the next with a directive."""
    if _MARK not in data:
        return {}
    found: dict[tuple[int, str], str] = {}
    waiting: dict[str, str] = {}
    for number, line in enumerate(data.split(b"\n"), start=1):
        alone = line.lstrip().startswith(b"#")
        answers = {rule: reason for (_, rule), reason in _answers(line, number).items()}
        if alone:
            waiting |= answers
        elif line.strip():
            found.update({(number, rule): reason for rule, reason in (waiting | answers).items()})
            waiting = {}
    return found


def _answers(text: bytes, line: int) -> dict[tuple[int, str], str]:
    if _MARK not in text:
        return {}
    return {
        (line, rule.strip().decode()): comment[2].decode(errors="replace").strip()
        for comment in _COMMENT.finditer(text)
        for rule in comment[1].split(b",")
    }


def split(findings: Iterable[Finding], ignores: Mapping[str, Ignores]) -> tuple[list[Finding], list[Ignored]]:
    """Part findings into those that stay open and those that a comment answers.

    Args:
        findings: All of them.
        ignores: What the comments say, by the subject's path.
    """
    stay: list[Finding] = []
    answered: list[Ignored] = []
    for finding in findings:
        reason = ignores.get(finding.subject, {}).get((finding.line, finding.rule))
        if reason is None:
            stay.append(finding)
        else:
            answered.append(Ignored(finding, reason))
    return stay, answered
