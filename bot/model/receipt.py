"""What became of a job that any machine may have done."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model.run import Publication


@dataclass(frozen=True, slots=True)
class Receipt:
    """A finished job; the first one of its key counts, whoever finishes the same job again later.

    Attributes:
        key: Names the job: cycle, and update or slot.
        evidence: Keys of the evidence that a proof gave, one for each platform.
        publication: What a publication gave.
        error: Why it failed; empty where it did not.
        hint: What to do about it.
        taken: True where it failed because a person works on the branch.
        refused: True where the forge understood and said no: the same again would fail again.
        whole: True where all that was to be said on a commit could be said there.
    """

    key: str
    evidence: tuple[str, ...] = ()
    publication: Publication | None = None
    error: str = ""
    hint: str = ""
    taken: bool = False
    refused: bool = False
    whole: bool = False
