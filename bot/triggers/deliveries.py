"""Which messages were heard: what is delivered twice runs once, in whichever process."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bot.cycle.cleanup import DELIVERY
from bot.ports import Store

_LONGEST: Final = 300


def heard_first(store: Store, delivery: str, now: datetime) -> bool:
    """True the first time a delivery is heard.

    Args:
        store: Holds the ledger; entries go after a week, and nothing signed or synced comes that late.
        delivery: Chat and id; the same for the same message, and for no other.
        now: Wall time.
    """
    return store.remember(DELIVERY, delivery[:_LONGEST], now)


def unhear(store: Store, delivery: str) -> None:
    """Let a delivery be heard again: nothing was done for it."""
    store.forget(DELIVERY, delivery[:_LONGEST])
