"""What a check found out: the outcome of every use, what is published, and what asking cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.model.published import Published
from bot.model.run import Problem
from bot.model.update import Decision


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of a check; it decides and changes nothing else.

    Attributes:
        decisions: Every use with its outcome.
        published: What was found behind the targets' `image:`.
        problems: Failures that belong to no use.
        requests: Registry requests by method.
        quota: What each registry says is left: host → `98/100`.
    """

    decisions: tuple[Decision, ...]
    published: tuple[Published, ...] = ()
    problems: tuple[Problem, ...] = ()
    requests: Mapping[str, int] = field(default_factory=dict)
    quota: Mapping[str, str] = field(default_factory=dict)
