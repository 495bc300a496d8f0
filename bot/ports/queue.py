"""Work to be done soon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bot.model.load import Load


@dataclass(frozen=True, slots=True)
class Task:
    """A piece of work by name, with a small JSON value."""

    name: str
    value: Mapping[str, str] = field(default_factory=dict)


class Queue(Protocol):
    """Work to be done soon, once for each key."""

    def start(self) -> None:
        """Begin to take tasks."""
        ...

    def close(self) -> None:
        """Give back what it holds; nothing runs any more."""
        ...

    def submit(self, task: Task, key: str) -> bool:
        """Take the task; False where work with this key is already waiting or running."""
        ...

    def depth(self) -> int:
        """How many tasks wait or run."""
        ...

    def loads(self) -> Mapping[str, Load]:
        """The same by role, `prove` for example; a role without any may be left out."""
        ...

    def drain(self, seconds: float) -> bool:
        """Take no more, wait for what runs; True when all of it ended in time."""
        ...
