"""What the rules about one security header share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bot.audit.found import found
from bot.audit.nginx import headers
from bot.audit.nginx.serving import files_of
from bot.audit.nginx.tree import Block, servers
from bot.model.finding import AuditRule, Finding


def _pages(server: Block) -> tuple[Block, ...]:
    """Where its pages come from: `location /`, else the server itself, else every location of files."""
    places = files_of(server)
    whole = tuple(place for place in places if place.directive.args == ("/",))
    return whole or tuple(place for place in places if place is server) or places


def _lacks(page: Block, name: str) -> bool:
    above = (header for block in page.chain() for header in headers.own(block))
    return not any(header.name == name for header in (*above, *headers.in_force(page)))


def check_header(
    rule: AuditRule,
    root: Block,
    name: str,
    wrong: Callable[[str], str],
    *,
    instead: Callable[[Block], bool] = lambda _: False,
) -> Iterator[Finding]:
    """Every server of files that does not send a header, and every value of it that does not help.

    What stands above a server counts as sent: where a block drops it, RF210 says so.

    Args:
        rule: The rule.
        root: The configuration.
        name: The header.
        wrong: Says what is wrong with a value; empty where nothing is.
        instead: True where a server does the same by other means.
    """
    seen: set[tuple[str, int]] = set()
    for server in servers(root):
        if not files_of(server) or any(block.unknown for block in (*server.chain(), *server.below())):
            continue
        sent = [one for one in headers.anywhere(server) if one.name == name.lower()]
        if not instead(server) and any(_lacks(page, name.lower()) for page in _pages(server)):
            here = server.directive
            context = " ".join(one.text for one in server.own("listen", "server_name", "root"))
            yield found(rule, here.subject, here.line, f"{name} is not sent", context=context)
        for header in sent:
            here, told = header.directive, wrong(header.value)
            if told and (here.subject, here.line) not in seen:
                seen.add((here.subject, here.line))
                message = f"{name} is {header.value or 'empty'}: {told}"
                yield found(rule, here.subject, here.line, message, context=here.text)
