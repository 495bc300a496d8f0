"""The rules that read image contents; `RULES` lists them all."""

from __future__ import annotations

from typing import Final

from bot.model.finding import AuditRule

RULES: Final[tuple[AuditRule, ...]] = ()
