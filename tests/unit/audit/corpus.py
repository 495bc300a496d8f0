"""The corpus of the audit: `tests/corpus/audit/README.md` tells how its files are written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "corpus" / "audit"
TODAY = date(2026, 6, 1)
_DIGEST = "@sha256:" + "a" * 64

Found = Counter[tuple[str, str, int]]
"""How often a rule is found at a line of a file: (file, rule, line)."""


@dataclass
class Case:
    """One case: its files by path, and what is to be found in them."""

    name: str
    main: str
    lines: dict[str, list[str]] = field(default_factory=dict)
    expected: Found = field(default_factory=Counter)

    @property
    def files(self) -> dict[str, bytes]:
        return {
            path: "".join(f"{line}\n" for line in lines).encode().replace(b"@D", _DIGEST.encode())
            for path, lines in self.lines.items()
        }


def load(kind: str, main: str, folder: Path = FOLDER) -> list[Case]:
    """Every case of a kind (`dockerfile` or `nginx`); `main` is the name of a case's first file."""
    cases: list[Case] = []
    for file in sorted((folder / kind).glob("*.txt")):
        path = main
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("=== "):
                cases.append(Case(f"{file.stem}: {line[4:]}", main))
                path = main
                cases[-1].lines[path] = []
            elif line.startswith("%% "):
                path = line[3:]
                cases[-1].lines[path] = []
            elif line.startswith("^ "):
                at = len(cases[-1].lines[path])
                cases[-1].expected.update((path, rule, at) for rule in line[2:].split())
            else:
                cases[-1].lines[path].append(line)
    return cases


DOCKERFILES = load("dockerfile", "Dockerfile")
NGINX = load("nginx", "nginx.conf")
