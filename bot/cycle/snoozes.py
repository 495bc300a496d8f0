"""Snoozes in the cycle: what a person silenced waits, with the reason and the end. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.model.snooze import Snooze
from bot.model.use import Use
from bot.updates.rules import Rule


def quieted(rule: Rule, snoozes: Sequence[Snooze], project: str, use: Use) -> Rule:
    """The rule in force for a use, made silent by the snooze that lasts longest; as it is where none matches.

    A rule that silences for ever stays as it is: nobody wakes what the operator put to sleep.

    Args:
        rule: What the configuration says.
        snoozes: Those that have not ended.
        project: Where the use is.
        use: The place that names an image.
    """
    matching = [one for one in snoozes if one.project in ("", project) and concerns(one.image, project, use)]
    if not matching or (rule.ignore_reason and rule.ignore_until is None):
        return rule
    longest = max(matching, key=lambda one: one.until)
    end = longest.until.date()
    if rule.ignore_until is not None and rule.ignore_until >= end:
        return rule
    return replace(rule, ignore_reason=f"{longest.reason} ({longest.who})", ignore_until=end)


def concerns(image: str, project: str, use: Use) -> bool:
    """Tell whether an image, named as a rule names it, is the one of a use."""
    return Rule(images=(image,)).matches(project, use)
