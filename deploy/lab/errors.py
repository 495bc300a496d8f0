"""The one failure of the lab: a part that cannot be had or started here, and what to install or do."""

from __future__ import annotations

from bot.errors import ServiceError


class LabError(ServiceError):
    """A real part cannot be had or started on this machine; the hint says what to install or do."""

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()
