"""One instruction of a stage, as rules see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.audit.dockerfile.shell import Command


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction of a stage.

    Attributes:
        keyword: In capitals.
        line: 1-based line of the keyword.
        text: The instruction as written, continued lines joined.
        rest: What follows keyword and flags, as written.
        flags: Its flags, in order: (`mount`, `type=cache,…`).
        words: What follows, split and with variables put in; the text itself where one of them is unknown.
        unknown: The variables that have no value here.
        commands: What is run: by the shell for the shell form, itself for the exec form.
        shell: True where a shell is needed to run it.
        env: The variables that are set when it runs.
        body: The heredocs that belong to it, as text.
        body_line: 1-based line at which they begin.
    """

    keyword: str
    line: int
    text: str
    rest: str
    flags: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    commands: tuple[Command, ...] = ()
    shell: bool = False
    env: Mapping[str, str] = field(default_factory=dict, hash=False)
    body: str = ""
    body_line: int = 0

    def values(self, flag: str) -> tuple[str, ...]:
        """Every value of a flag."""
        return tuple(value for name, value in self.flags if name == flag)

    @property
    def caches(self) -> tuple[str, ...]:
        """The targets of its cache mounts."""
        return self.mounted("cache")

    def mounted(self, *kinds: str) -> tuple[str, ...]:
        """The targets of its mounts of these kinds: what is written there does not reach the image."""
        mounts = (dict(_pairs(mount)) for mount in self.values("mount"))
        return tuple(one.get("target") or one.get("dst", "") for one in mounts if one.get("type") in kinds)

    @property
    def copied(self) -> tuple[str, ...]:
        """What a COPY or ADD takes from the build context, cleaned of `./`; nothing of a stage."""
        if self.keyword not in {"COPY", "ADD"} or self.values("from"):
            return ()
        found = (word for word in self.words[:-1] if not word.startswith("<<") and "://" not in word)
        return tuple(_clean(word) for word in found)

    @property
    def target(self) -> str:
        """Where a COPY or ADD puts what it takes."""
        return self.words[-1] if self.words else ""


def _pairs(mount: str) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, _, value in (part.partition("=") for part in mount.split(","))]


def _clean(path: str) -> str:
    """`./src/` and `/src` are both `src`; the context itself is `.`."""
    parts = [part for part in path.split("/") if part not in {"", "."}]
    return "/".join(parts) or "."
