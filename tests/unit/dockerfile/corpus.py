"""The corpus: named cases in plain text, each a Dockerfile and the images that it names.

`=== name` begins a case, `%% crlf bom no-newline args KEY=value` says how its bytes differ from the text
shown, and what its arguments are (for a compose file: what the `.env` beside it sets), and
`-> LINE KIND IMAGE [! reason it is skipped] [# comment=value]… [@platform]` is a use.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "corpus" / "dockerfile"
_USE = re.compile(
    r"-> (?P<line>\d+) (?P<kind>\S+) (?P<text>.*?)(?: ! (?P<reason>.*?))?(?P<pairs>(?: # \w+=[^#@]*)*)"
    r"(?: @(?P<platform>\S+))?"
)


@dataclass(frozen=True)
class Expected:
    line: int
    kind: str
    text: str
    reason: str | None
    pairs: tuple[tuple[str, str], ...]
    platform: str | None


@dataclass
class Case:
    name: str
    lines: list[str] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    uses: list[Expected] = field(default_factory=list)

    @property
    def data(self) -> bytes:
        text = "".join(f"{line}\n" for line in self.lines)
        text = text[:-1] if "no-newline" in self.marks else text
        data = (text.replace("\n", "\r\n") if "crlf" in self.marks else text).encode()
        return b"\xef\xbb\xbf" + data if "bom" in self.marks else data

    @property
    def args(self) -> dict[str, str]:
        return dict(mark.split("=", 1) for mark in self.marks if "=" in mark)


def expected(line: str) -> Expected:
    found = _USE.fullmatch(line)
    assert found, line
    pairs = tuple(part.partition("=")[::2] for part in found["pairs"].split(" # ")[1:])
    stripped = tuple((key, value.strip()) for key, value in pairs)
    return Expected(
        int(found["line"]), found["kind"], found["text"], found["reason"], stripped, found["platform"]
    )


def load(*names: str) -> list[Case]:
    cases: list[Case] = []
    for name in names:
        for line in (FOLDER / f"{name}.txt").read_text().splitlines():
            if line.startswith("=== "):
                cases.append(Case(f"{name}: {line[4:]}"))
            elif line.startswith("%% "):
                cases[-1].marks += line[3:].split()
            elif line.startswith("-> "):
                cases[-1].uses.append(expected(line))
            else:
                cases[-1].lines.append(line)
    return cases


DOCKERFILES = load("from", "variables", "others", "grammar", "stacks", "long", "hard")
COMPOSE = load("compose")
