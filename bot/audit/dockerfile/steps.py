"""Read one instruction after the other, and keep what variables hold on the way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bot.audit.dockerfile.shell import Command, commands
from bot.dockerfile.expand import expand
from bot.dockerfile.instructions import Instruction
from bot.dockerfile.values import Dialect, UnresolvedError, Value
from bot.dockerfile.words import quoted_words, split_flags
from bot.model.use import Segment

_MAX_VARIABLES: Final = 1000
_MAX_WORDS: Final = 1000
_RUNS: Final = frozenset({"RUN", "HEALTHCHECK", "CMD", "ENTRYPOINT"})


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
        mounts = (dict(_pairs(mount)) for mount in self.values("mount"))
        return tuple(one.get("target") or one.get("dst", "") for one in mounts if one.get("type") == "cache")

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


class Reading:
    """What variables hold while the file is read; ENV is inherited from stage to stage, ARG is not.

    Args:
        meta: The ARGs from before the first FROM, and BuildKit's own.
        args: The build arguments of the target.
    """

    def __init__(self, meta: Mapping[str, Value], args: Mapping[str, Value]) -> None:
        self._meta, self._args = dict(meta), args
        self._env: dict[int, dict[str, Value]] = {}
        self._local: dict[str, Value] = {}
        self._stage = 0
        self._plain: Mapping[str, str] = {}

    def enter(self, stage: int, base: int | None) -> None:
        """Begin a stage, which inherits the environment of the stage it stands on."""
        self._stage = stage
        self._env[stage] = dict(self._env.get(base, {})) if base is not None else {}
        self._local = {}
        self._renew()

    def step(self, data: bytes, instruction: Instruction) -> Step:
        """Read an instruction; what it sets is known to those that follow."""
        text = instruction.text.value
        flags, after = split_flags(text, instruction.arguments)
        rest = text[after:].decode(errors="replace").strip()
        body = data[instruction.body : instruction.end].decode(errors="replace")
        words, unknown = self._words(instruction, after, rest)
        run, shell = self._run(instruction.keyword, rest, body)
        step = Step(
            keyword=instruction.keyword,
            line=instruction.line,
            text=text.decode(errors="replace"),
            rest=rest,
            flags=tuple(
                (one.name, text[one.start : one.end].decode(errors="replace").strip("\"'")) for one in flags
            ),
            words=words,
            unknown=unknown,
            commands=run,
            shell=shell,
            env=self._plain,
            body=body,
            body_line=data.count(b"\n", instruction.start, instruction.body) + instruction.line,
        )
        self._set(instruction, after)
        return step

    def _words(
        self, instruction: Instruction, after: int, rest: str
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        if instruction.keyword in _RUNS:
            return (), ()
        listed = _exec(rest)
        if listed is not None:
            return listed, ()
        spans = quoted_words(instruction.text.value, after, instruction.escape)[:_MAX_WORDS]
        found, unknown = [], list[str]()
        for start, end in spans:
            text, missing = self._expanded(instruction, start, end)
            found.append(text)
            unknown += missing
        return tuple(found), tuple(unknown)

    def _expanded(self, instruction: Instruction, start: int, end: int) -> tuple[str, tuple[str, ...]]:
        scope = {**self._env[self._stage], **self._local}
        try:
            word = expand(instruction.text, start, end, scope, Dialect(instruction.escape))
        except UnresolvedError:
            raw = instruction.text.value[start:end].decode(errors="replace")
            return raw, (raw,)
        return word.text, word.unset

    def _run(self, keyword: str, rest: str, body: str) -> tuple[tuple[Command, ...], bool]:
        if keyword not in _RUNS:
            return (), False
        if keyword == "HEALTHCHECK":
            word, _, rest = rest.partition(" ")
            rest = rest.strip()
            if word.upper() != "CMD":
                return (), False
        listed = _exec(rest)
        if listed is not None:
            return _listed(listed, self._plain), False
        script = body if rest.startswith("<<") else f"{rest}\n{body}" if body and _is_shell(rest) else rest
        return commands(script, self._plain), True

    def _set(self, instruction: Instruction, after: int) -> None:
        if instruction.keyword == "ARG":
            self._declare(instruction, after)
        elif instruction.keyword == "ENV":
            self._assign(instruction, after)
        else:
            return
        self._renew()

    def _declare(self, instruction: Instruction, after: int) -> None:
        text = instruction.text.value
        for start, end in quoted_words(text, after, instruction.escape)[:_MAX_VARIABLES]:
            name, equals, _ = text[start:end].decode(errors="replace").partition("=")
            if name in self._args:
                self._local[name] = self._args[name]
            elif equals:
                self._put(
                    self._local, name, *self._expanded(instruction, start + len(name.encode()) + 1, end)
                )
            elif name in self._meta:
                self._local[name] = self._meta[name]

    def _assign(self, instruction: Instruction, after: int) -> None:
        text, env = instruction.text.value, self._env[self._stage]
        spans = quoted_words(text, after, instruction.escape)[:_MAX_VARIABLES]
        if spans and b"=" not in text[slice(*spans[0])]:
            name = text[slice(*spans[0])].decode(errors="replace")
            last = len(text.rstrip())
            if len(spans) > 1:
                self._put(env, name, *self._expanded(instruction, spans[1][0], last))
            return
        for start, end in spans:
            name, equals, _ = text[start:end].decode(errors="replace").partition("=")
            if equals:
                self._put(env, name, *self._expanded(instruction, start + len(name.encode()) + 1, end))

    def _put(self, where: dict[str, Value], name: str, text: str, unknown: tuple[str, ...]) -> None:
        if unknown or len(where) >= _MAX_VARIABLES:
            where.pop(name, None)
        else:
            where[name] = Value((Segment(text, -1, -1, 0),))

    def _renew(self) -> None:
        known = {**self._local, **self._env[self._stage]}
        self._plain = {name: value.text for name, value in known.items()}


def _exec(rest: str) -> tuple[str, ...] | None:
    """The words of the exec form, a JSON list of texts; None for the shell form."""
    if not rest.startswith("["):
        return None
    try:
        words = json.loads(rest)
    except (ValueError, RecursionError):
        return None
    return tuple(words) if words and all(isinstance(word, str) for word in words) else None


def _listed(words: tuple[str, ...], env: Mapping[str, str]) -> tuple[Command, ...]:
    """The exec form: a program itself, or the script that it gives to a shell."""
    if words[0].rpartition("/")[2] in {"sh", "bash", "ash"} and len(words) > 2 and words[1].endswith("c"):
        return commands(words[2], env)
    return (Command((words[0], *words[1:]), (), env),)


def _is_shell(rest: str) -> bool:
    """True where what a heredoc feeds is a shell again: `RUN bash -e <<EOF`."""
    first = rest.split(maxsplit=1)[:1]
    return bool(first) and first[0].rpartition("/")[2] in {"sh", "bash", "ash"}
