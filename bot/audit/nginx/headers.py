"""Response headers in force: `add_header` with its inheritance, and the headers-more module's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bot.audit.nginx.tree import Block, Directive

SECURITY: Final = (
    "x-content-type-options",
    "x-frame-options",
    "content-security-policy",
    "referrer-policy",
    "strict-transport-security",
    "permissions-policy",
)


@dataclass(frozen=True, slots=True)
class Header:
    """A header that is set: its name in small letters, its value, and where."""

    name: str
    value: str
    directive: Directive


def own(block: Block) -> tuple[Header, ...]:
    """What `add_header` sets in the block itself."""
    added = (one for one in block.own("add_header") if one.args)
    return tuple(Header(one.args[0].lower(), one.args[1] if len(one.args) > 1 else "", one) for one in added)


def in_force(block: Block) -> tuple[Header, ...]:
    """What is set for a response of the block: inherited only where the block adds nothing, or merges."""
    found: list[Header] = list(_more(block))
    for one in block.chain():
        mine = own(one)
        found += mine
        if mine and not merges(one):
            break
    return tuple(found)


def anywhere(block: Block) -> tuple[Header, ...]:
    """What is set in the block, above it or inside it, dropped or not."""
    near = {id(one): one for one in (*block.chain(), *block.below())}
    return tuple(header for one in near.values() for header in (*own(one), *_more(one)))


def merges(block: Block) -> bool:
    """True where a block keeps what it inherits (`add_header_inherit merge`, nginx 1.29.3)."""
    found = block.value("add_header_inherit")
    return found is not None and found.args[:1] == ("merge",)


def _more(block: Block) -> tuple[Header, ...]:
    """`more_set_headers "Name: value" …`, which is inherited and merged."""
    return tuple(
        Header(word.partition(":")[0].strip().lower(), word.partition(":")[2].strip(), one)
        for level in block.chain()
        for one in level.own("more_set_headers")
        for word in one.args
        if ":" in word
    )
