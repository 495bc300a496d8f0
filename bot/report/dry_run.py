"""What a dry run would have written to a forge."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from bot.model.run import PullRequest


def render(wanted: PullRequest, before: Mapping[str, bytes] | None = None) -> str:
    """A pull request as it would be opened: its head, the change, and the body, for a terminal.

    Args:
        wanted: What would be opened.
        before: The files as they are; with them the change is shown as a unified diff.
    """
    head = [
        f"{'draft pull request' if wanted.draft else 'pull request'}: {wanted.title}",
        f"branch: {wanted.branch} → {wanted.base}",
        f"labels: {', '.join(wanted.labels) or 'none'}",
    ]
    changes = [line for path in sorted(wanted.files) for line in _change(path, wanted, before or {})]
    return "\n".join([*head, *changes, "", wanted.body.rstrip(), "", ""])


def _change(path: str, wanted: PullRequest, before: Mapping[str, bytes]) -> Iterable[str]:
    if path not in before:
        return [f"changes: {path}"]
    old, new = (_lines(data) for data in (before[path], wanted.files[path]))
    return difflib.unified_diff(old, new, f"a/{path}", f"b/{path}", n=0, lineterm="")


def _lines(data: bytes) -> list[str]:
    return data.decode("utf-8", "replace").splitlines()
