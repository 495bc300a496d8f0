"""nginx configurations as a tree: includes put in, inheritance answered. No I/O.

nginx.org/en/docs/http/ngx_http_headers_module.html: "add_header directives are inherited from the previous
configuration level if and only if there are no add_header directives defined on the current level."
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

PASSES: Final = ("proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass")


@dataclass(frozen=True, slots=True)
class Directive:
    """One directive.

    Attributes:
        name: `add_header`.
        args: Its arguments, quotes taken away.
        subject: The file it stands in, as people name it.
        line: 1-based.
        block: What its braces hold, or None where it has none.
    """

    name: str
    args: tuple[str, ...]
    subject: str
    line: int
    block: tuple[Directive, ...] | None = None

    @property
    def text(self) -> str:
        """As it would be written on one line."""
        return " ".join((self.name, *self.args))


@dataclass(frozen=True, slots=True)
class Block:
    """A block with what stands above it.

    Attributes:
        directive: The block itself.
        parent: The block around it, or None at the top.
        unknown: True where it includes a file that nobody here knows.
        named: Its own directives by name.
        blocks: The blocks inside it.
    """

    directive: Directive
    parent: Block | None
    unknown: bool
    named: Mapping[str, tuple[Directive, ...]] = field(compare=False, hash=False)
    blocks: list[Block] = field(default_factory=list, compare=False, hash=False)

    @property
    def name(self) -> str:
        """`server`, `location`, `if`."""
        return self.directive.name

    def own(self, *names: str) -> tuple[Directive, ...]:
        """The directives of these names that stand in the block itself."""
        return tuple(one for name in names for one in self.named.get(name, ()))

    def chain(self) -> Iterator[Block]:
        """The block, and all above it."""
        block: Block | None = self
        while block is not None:
            yield block
            block = block.parent

    def below(self) -> Iterator[Block]:
        """The block, and all inside it."""
        yield self
        for block in self.blocks:
            yield from block.below()

    def value(self, name: str) -> Directive | None:
        """The directive in force: the last of the nearest block that has one."""
        for block in self.chain():
            if found := block.own(name):
                return found[-1]
        return None

    def is_on(self, name: str) -> bool:
        """True where a switch is on."""
        found = self.value(name)
        return found is not None and found.args[:1] in {("on",), ("always",)}

    @property
    def in_doubt(self) -> bool:
        """True where the block or one above it includes what nobody here knows."""
        return any(block.unknown for block in self.chain())

    def inside(self, name: str) -> Block | None:
        """The nearest block of that name around it."""
        return next((block for block in self.chain() if block.name == name), None)


def blocks(directive: Directive, parent: Block | None = None) -> Block:
    """A tree of blocks of a directive's tree."""
    inner = directive.block or ()
    named: dict[str, list[Directive]] = {}
    for one in inner:
        named.setdefault(one.name, []).append(one)
    own = {name: tuple(found) for name, found in named.items()}
    block = Block(directive, parent, "include" in own, own)
    block.blocks.extend(blocks(one, block) for one in inner if one.block is not None)
    return block


def servers(root: Block) -> tuple[Block, ...]:
    """Every `server` of an `http` block, in order."""
    return tuple(block for block in root.below() if block.name == "server" and block.inside("http"))
