"""What a dry run would have written: the head, the change as a diff, and the text as people see it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from bot.model.draft import Draft
from bot.model.pulls import Check
from bot.model.run import Issue, PullRequest
from bot.report.quote import shown_line
from bot.report.rendered import rendered


def render(draft: Draft, *, width: int = 100, color: bool = False) -> str:
    """One thing that would have been written, for a terminal of `width` columns."""
    if draft.pull_request is not None:
        head, text = _pull_request(draft.pull_request, draft.before), draft.pull_request.body
    elif draft.issue is not None:
        head, text = _issue(draft.issue), draft.issue.body
    elif draft.check is not None:
        head, text = _check(draft.check), f"{draft.check.summary}\n\n{draft.check.details}"
    else:
        return ""
    shown = rendered(text, width=width, color=color).rstrip()
    return "\n".join([f"in {draft.project}", *map(shown_line, head), "", shown, "", ""])


def _pull_request(wanted: PullRequest, before: Mapping[str, bytes]) -> Iterable[str]:
    yield f"{'draft pull request' if wanted.draft else 'pull request'}: {wanted.title}"
    yield f"branch: {wanted.branch} → {wanted.base}"
    yield f"labels: {', '.join(wanted.labels) or 'none'}"
    for name, people in (("reviewers", wanted.reviewers), ("assignees", wanted.assignees)):
        if people:
            yield f"{name}: {', '.join(people)}"
    if wanted.auto_merge:
        yield "auto-merge: on, once its required checks have passed"
    yield from ["commit message:", *(f"    {line}" for line in wanted.message.rstrip().splitlines())]
    for path in sorted(wanted.files):
        yield from _change(path, wanted, before)


def _issue(wanted: Issue) -> Iterable[str]:
    yield f"issue: {wanted.title}"
    yield f"labels: {', '.join(wanted.labels) or 'none'}"


def _check(check: Check) -> Iterable[str]:
    yield f"evidence on {check.url}: {check.conclusion}"
    yield f"check: {check.name}: {check.title}"


def _change(path: str, wanted: PullRequest, before: Mapping[str, bytes]) -> Iterable[str]:
    if path not in before:
        return [f"changes: {path}"]
    old, new = (_lines(data) for data in (before[path], wanted.files[path]))
    return difflib.unified_diff(old, new, f"a/{path}", f"b/{path}", n=0, lineterm="")


def _lines(data: bytes) -> list[str]:
    return data.decode("utf-8", "replace").splitlines()
