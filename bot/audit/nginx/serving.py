"""What a server does: hands out files, passes requests on, or neither."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.nginx.tree import PASSES, Block, Directive, servers

_FILES: Final = ("root", "alias", "try_files", "index", "autoindex", "expires")


def places(server: Block) -> tuple[Block, ...]:
    """The server's locations, nested ones too."""
    return tuple(block for block in server.below() if block.name == "location")


def answers_itself(block: Block) -> bool:
    """True where a fixed answer is given: a redirect, a status, a refusal."""
    return bool(block.own("return", "stub_status", "empty_gif")) or any(
        one.args[:1] == ("all",) for one in block.own("deny")
    )


def passes_on(block: Block) -> bool:
    """True where requests go to another server."""
    return bool(block.own(*PASSES))


def hands_out_files(block: Block) -> bool:
    """True for a location or server that reads files for browsers."""
    if answers_itself(block) or passes_on(block):
        return False
    return bool(block.own(*_FILES)) or block.value("root") is not None


def files_of(server: Block) -> tuple[Block, ...]:
    """The locations that hand out files; the server itself where its locations do not take every request."""
    found = [place for place in places(server) if hands_out_files(place)]
    whole = any(place.directive.args in {("/",), ("^~", "/")} for place in server.blocks)
    own_files = hands_out_files(server) and server.value("root") is not None
    if not whole and (
        own_files or (not places(server) and not answers_itself(server) and not passes_on(server))
    ):
        found.append(server)
    return tuple(found)


def has_content(server: Block) -> bool:
    """True where it hands out files or passes requests on."""
    return bool(files_of(server)) or any(passes_on(block) for block in server.below())


def compressing(root: Block) -> Iterator[tuple[Block, Directive]]:
    """Every block of a server with content in which gzip is on, with the switch that is in force."""
    judged = (server for server in servers(root) if has_content(server) and not server.in_doubt)
    for block in (block for server in judged for block in server.below()):
        switch = block.value("gzip")
        if switch is not None and block.is_on("gzip"):
            yield block, switch


def ends_tls(server: Block) -> bool:
    """True where TLS ends here."""
    listens = any({"ssl", "quic"} & set(one.args) for one in server.own("listen"))
    return (listens or server.is_on("ssl")) and not server.is_on("ssl_reject_handshake")
