"""What a worker takes from a queue that many share, and what may not run at once."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from bot.ports import Task


class Role(StrEnum):
    """What a worker takes from the queue."""

    DRIVE = "drive"
    PROVE = "prove"
    PUBLISH = "publish"


# Everything else drives.
_ROLES: Final[Mapping[str, Role]] = {"prove": Role.PROVE, "publish": Role.PUBLISH, "write": Role.PUBLISH}


def role_of(task: Task) -> Role:
    """Who takes a task: proofs and what is written have workers of their own."""
    return _ROLES.get(task.name, Role.DRIVE)


def lock_of(task: Task, role: Role, key: str) -> str:
    """What must not run at once: one cycle drives at a time, one writes in a project."""
    match role:
        case Role.DRIVE:
            return "drive"
        case Role.PUBLISH:
            return f"publish {task.value['project']}"
        case Role.PROVE:
            return key
