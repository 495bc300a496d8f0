"""The nine edges of Refit, as Protocols. Adapters implement them; `bot/app.py` chooses."""

from bot.ports.artifacts import Artifacts
from bot.ports.builder import Builder, BuildRequest
from bot.ports.chat import Chat
from bot.ports.discussion import Discussion
from bot.ports.forge import Checkout, Forge
from bot.ports.queue import Queue, Task
from bot.ports.registry import Registry
from bot.ports.scanner import Scanner, ScanRequest
from bot.ports.store import Store
from bot.ports.time import Clock, Progress

__all__ = [
    "Artifacts",
    "BuildRequest",
    "Builder",
    "Chat",
    "Checkout",
    "Clock",
    "Discussion",
    "Forge",
    "Progress",
    "Queue",
    "Registry",
    "ScanRequest",
    "Scanner",
    "Store",
    "Task",
]
