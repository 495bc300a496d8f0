"""Read one instruction after the other, and keep what variables hold on the way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from bot.audit.dockerfile.shell import Command, commands
from bot.audit.dockerfile.steps import Step
from bot.dockerfile.expand import expand
from bot.dockerfile.instructions import Instruction
from bot.dockerfile.values import Dialect, UnresolvedError, Value
from bot.dockerfile.words import quoted_words, split_flags
from bot.model.use import Segment

_MAX_VARIABLES: Final = 1000
_MAX_WORDS: Final = 1000
# Of a whole file: what is written beyond that is read, and not looked into.
_ALL_WORDS: Final = 100_000
_ALL_COMMANDS: Final = 20_000
_RUNS: Final = frozenset({"RUN", "HEALTHCHECK", "CMD", "ENTRYPOINT"})


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
        self._scope: Mapping[str, Value] = {}
        self._words_left, self._commands_left = _ALL_WORDS, _ALL_COMMANDS
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
        most = min(_MAX_WORDS, self._words_left)
        spans = quoted_words(instruction.text.value, after, instruction.escape)[:most]
        self._words_left -= len(spans)
        found, unknown = [], list[str]()
        for start, end in spans:
            text, missing = self._expanded(instruction, start, end)
            found.append(text)
            unknown += missing
        return tuple(found), tuple(unknown)

    def _expanded(self, instruction: Instruction, start: int, end: int) -> tuple[str, tuple[str, ...]]:
        try:
            word = expand(instruction.text, start, end, self._scope, Dialect(instruction.escape))
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
        found = commands(script, self._plain, most=self._commands_left)
        self._commands_left -= len(found)
        return found, True

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
        self._scope = {**self._env[self._stage], **self._local}
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
