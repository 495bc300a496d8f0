"""The simple commands of a shell script, as far as they can be read without running it.

POSIX shell, section 2.3 and 2.9 (`Token Recognition`, `Shell Commands`): operators, quotes, assignments and
redirections. What a variable holds is put in where it is known; control words are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

MAX_SCRIPT: Final = 256 * 1024
MAX_COMMANDS: Final = 2000
_MAX_NESTED: Final = 3
_MAX_ASSIGNMENTS: Final = 200
_TOKEN: Final = re.compile(
    r"(?P<blank>(?:[ \t\r]|\\\r?\n)+)|(?P<comment>\#[^\n]*)"
    r"|(?P<redirect>(?:\d*|&)(?:>>|>\||<<-|<<<|<<|>|<)&?-?)"
    r"|(?P<end>&&|\|\||;;|[;&|()\n])"
    r"|(?P<word>(?:'[^']*+'|\"(?:[^\"\\]|\\.)*+\"|\\.|[^\s;&|()'\"\\<>])++)|(?P<other>.)",
    re.DOTALL,
)
_PART: Final = re.compile(
    r"'(?P<single>[^']*)'|\"(?P<double>(?:[^\"\\]|\\.)*)\"|\\(?P<escaped>.)|(?P<plain>[^'\"\\]+)", re.DOTALL
)
_VARIABLE: Final = re.compile(r"\$(?:\{(?P<braced>\w+)(?::?-(?P<default>[^}]*))?\}|(?P<bare>[A-Za-z_]\w*))")
_WHOLE: Final = re.compile(r"\$\{?[A-Za-z_]\w*\}?")
_ASSIGNMENT: Final = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_PASSED_OVER: Final = frozenset(
    {
        "if",
        "then",
        "else",
        "elif",
        "while",
        "until",
        "do",
        "{",
        "!",
        "time",
        "exec",
        "sudo",
        "command",
        "nice",
    }
)
_SHELLS: Final = frozenset({"sh", "bash", "ash", "dash"})


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command.

    Attributes:
        words: Its name without folders, and its arguments; quotes taken away, known variables put in.
        outputs: The files its output goes to.
        env: What was assigned for it, on its line or before it in the script.
    """

    words: tuple[str, ...]
    outputs: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def name(self) -> str:
        """The program: `apt-get` for `/usr/bin/apt-get`."""
        return self.words[0].rpartition("/")[2]

    @property
    def arguments(self) -> tuple[str, ...]:
        """What follows the name."""
        return self.words[1:]

    @property
    def plain(self) -> tuple[str, ...]:
        """The arguments that are no options."""
        return tuple(word for word in self.arguments if not word.startswith("-"))

    def has(self, *options: str) -> bool:
        """True where one of the options is given, as a word or as `option=value`."""
        return any(word == one or word.startswith(f"{one}=") for word in self.arguments for one in options)


def commands(script: str, env: Mapping[str, str], *, most: int = MAX_COMMANDS) -> tuple[Command, ...]:
    """The simple commands of a script, in order, as far as its first `MAX_SCRIPT` letters go.

    Args:
        script: The script.
        env: The variables that are known when it starts.
        most: How many are read; `MAX_COMMANDS` at the most.
    """
    reading = _Script(env, 0)
    return tuple(islice(reading.commands(script[:MAX_SCRIPT]), max(0, min(most, MAX_COMMANDS))))


class _Script:
    """A script on its way; what it assigns is known to the commands that follow.

    Args:
        env: The variables that are known when it starts; never changed, but replaced.
        depth: How many shells were started in each other.
    """

    def __init__(self, env: Mapping[str, str], depth: int) -> None:
        self._env, self._depth, self._assignments = env, depth, 0

    def commands(self, script: str) -> Iterator[Command]:
        """Every simple command."""
        words: list[str] = []
        outputs: list[str] = []
        target = ""
        for token in _TOKEN.finditer(script):
            kind, text = token.lastgroup, token[0]
            if kind == "redirect":
                target = text
            elif kind == "word":
                expanded = _words(text, self._env)
                if target and ">" in target:
                    outputs += expanded
                elif not target:
                    words += expanded
                target = ""
            elif kind == "end":
                yield from self._simple(words, outputs)
                words, outputs, target = [], [], ""
        yield from self._simple(words, outputs)

    def _simple(self, words: list[str], outputs: list[str]) -> Iterator[Command]:
        assigned: dict[str, str] = {}
        at = 0
        while at < len(words):
            found = _ASSIGNMENT.fullmatch(words[at])
            if found:
                assigned[found[1]] = found[2]
            elif words[at] not in _PASSED_OVER and not _is_env(words, at):
                break
            at += 1
        rest = words[at:]
        if not rest:
            self._assign(assigned)
            return
        if rest[0] == "export":
            self._assign({pair[1]: pair[2] for word in rest if (pair := _ASSIGNMENT.fullmatch(word))})
        env = {**self._env, **assigned} if assigned else self._env
        yield from self._unwrapped(Command(_named(rest), tuple(outputs), env))

    def _assign(self, assigned: Mapping[str, str]) -> None:
        self._assignments += 1
        if assigned and self._assignments <= _MAX_ASSIGNMENTS:
            self._env = {**self._env, **assigned}

    def _unwrapped(self, command: Command) -> Iterator[Command]:
        """The command, or what the shell that it starts is told to do: `sh -ec "…"`."""
        inner = _inner(command) if self._depth < _MAX_NESTED else None
        if inner is None:
            yield command
        else:
            yield from _Script(command.env, self._depth + 1).commands(inner)


def _is_env(words: list[str], at: int) -> bool:
    """`env` and its own options, where a program follows."""
    return words[at] == "env" or (at > 0 and words[at - 1] == "env" and words[at].startswith("-"))


def _named(words: list[str]) -> tuple[str, ...]:
    return (words[0].rpartition("/")[2] or words[0], *words[1:])


def _inner(command: Command) -> str | None:
    if command.name not in _SHELLS:
        return None
    for at, word in enumerate(command.arguments[:-1]):
        if word.startswith("-") and not word.startswith("--") and word.endswith("c"):
            return command.arguments[at + 1]
    return None


def _words(text: str, env: Mapping[str, str]) -> list[str]:
    """The words that one word of the script becomes: a variable alone and unquoted is split at blanks."""
    if _WHOLE.fullmatch(text):
        value = _put_in(text, env)
        return [text] if value == text else value.split()
    return ["".join(_part(part, env) for part in _PART.finditer(text))]


def _part(part: re.Match[str], env: Mapping[str, str]) -> str:
    match part.lastgroup:
        case "single":
            return part["single"]
        case "double":
            return _put_in(re.sub(r"\\([\"\\$`\n])", r"\1", part["double"]), env)
        case "escaped":
            return "" if part["escaped"] == "\n" else part["escaped"]
        case _:
            return _put_in(part["plain"], env)


def _put_in(text: str, env: Mapping[str, str]) -> str:
    """Known variables are replaced, unknown ones stay as they are written."""
    if "$" not in text:
        return text
    return _VARIABLE.sub(lambda found: _value(found, env), text)


def _value(found: re.Match[str], env: Mapping[str, str]) -> str:
    name = found["braced"] or found["bare"]
    if name in env:
        return env[name]
    return found["default"] if found["default"] is not None else found[0]
