"""Notifications of a configuration, put together: for the long-running bot, and for `refit run --notify`."""

from __future__ import annotations

from collections.abc import Sequence

from bot.notify import send
from bot.ports import Clock, Store
from bot.settings import Settings
from bot.triggers.notify import Notifier


def destinations(settings: Settings) -> tuple[str, ...]:
    """The configured Apprise URLs; each holds a secret.

    Raises:
        ConfigError: A secret is missing.
    """
    section = settings.notifications
    return tuple(one.read("notifications.to") for one in section.to) if section else ()


def notifier(settings: Settings, urls: Sequence[str], store: Store, clock: Clock) -> Notifier | None:
    """What tells these destinations; None where nobody wants to know."""
    section = settings.notifications
    return Notifier(urls, section.about, store, clock, send) if section else None
