"""What a run has done so far; one thread folds results in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.cycle.bugs import bug
from bot.cycle.grouping import Group
from bot.cycle.order import place
from bot.cycle.parts import Parts
from bot.errors import RefitError, StoreError
from bot.model.draft import Draft
from bot.model.run import Cycle, Decided, Planned, Problem, Proved, Publication
from bot.model.update import Waiting


@dataclass(slots=True)
class Tally:
    """Everything that became of a plan; the counts add up."""

    updates: list[Proved] = field(default_factory=list)
    decided: list[Decided] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    issues: list[Publication] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def wait(self, members: Sequence[Planned], reason: str) -> None:
        """Updates that are held back, with the reason."""
        for planned in members:
            target = planned.target.name if planned.target else None
            outcome = Waiting(reason, planned.update.to)
            self.decided.append(Decided(planned.project.name, target, planned.use, outcome))

    def fail(self, subject: str, error: RefitError, doing: str = "") -> None:
        """A failure as a value."""
        self.problems.append(Problem(subject, f"{doing}{error.message}", error.hint))


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a cycle.

    Attributes:
        parts: The collaborators.
        cycle: Which cycle.
        tally: What was done so far.
        dry: True where nothing is written to a forge.
        chosen: Places of the updates that may be built; None where all may.
        evidence_only: True where evidence is attached to others' pull requests, and none is opened.
    """

    parts: Parts
    cycle: Cycle
    tally: Tally
    dry: bool = False
    evidence_only: bool = False
    chosen: frozenset[str] | None = None

    def may_build(self, planned: Planned) -> bool:
        """Tell whether an update is among those that this cycle builds."""
        return self.chosen is None or place(planned) in self.chosen

    def guarded(self, subject: str, work: Callable[[], None]) -> None:
        """One failure becomes a value; the others go on."""
        try:
            work()
        except StoreError:  # without a store nothing can go on
            raise
        except RefitError as error:
            self.tally.fail(subject, error)
        except Exception as error:  # noqa: BLE001 - a bug in one target's way must not cost the others theirs
            self.tally.problems.append(bug(subject, error))


def subject(group: Group) -> str:
    """What people call a group."""
    return ", ".join(sorted({planned.subject for planned in group.members}))
