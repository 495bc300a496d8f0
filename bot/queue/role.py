"""What a machine takes from a queue that many share."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a worker takes from the queue."""

    DRIVE = "drive"
    PROVE = "prove"
    PUBLISH = "publish"
