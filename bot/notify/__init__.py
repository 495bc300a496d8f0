"""Where notifications go out: Apprise, in a process of its own for as long as it takes.

Apprise loads all of its plugins, whatever is sent: 13 MB that a bot would hold for a few messages a month,
and the code of a hundred services beside its secrets.
"""

from bot.notify.apprise import send, usable_urls

__all__ = ["send", "usable_urls"]
