"""Who is asked about a pull request: people and teams of the configuration, and the owners of its files.

CODEOWNERS as GitHub reads it ("About code owners"): the patterns of .gitignore, the last match wins, and a
pattern with no owner takes the ownership away.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import pathspec

from bot.errors import ForgeError
from bot.ports import Checkout

OWNERS: Final = "CODEOWNERS"
_PLACES: Final = (f".github/{OWNERS}", OWNERS, f"docs/{OWNERS}")
_LIMIT: Final = 3 * 1024**2  # GitHub ignores a larger one


def asked(names: Sequence[str], files: Iterable[str], checkout: Checkout) -> tuple[str, ...]:
    """Logins, and teams as `owner/team`; the word `CODEOWNERS` stands for the owners of the changed files."""
    owners = owners_of(_text(checkout), files) if OWNERS in names else ()
    return tuple(dict.fromkeys(n for name in names for n in (owners if name == OWNERS else (name,))))


def owners_of(text: str, files: Iterable[str]) -> tuple[str, ...]:
    """The owners of some files, in the order of the files; addresses of mail are left out."""
    rules = [_rule(line) for line in text.splitlines() if line.split("#")[0].strip()]
    found: list[str] = []
    for file in files:
        owners = next((who for spec, who in reversed(rules) if spec.match_file(file)), ())
        found += [name.removeprefix("@") for name in owners if name.startswith("@")]
    return tuple(dict.fromkeys(found))


def _rule(line: str) -> tuple[pathspec.GitIgnoreSpec, Sequence[str]]:
    pattern, *owners = line.split("#", maxsplit=1)[0].replace("\\ ", "?").split()
    return pathspec.GitIgnoreSpec.from_lines([pattern]), owners


def _text(checkout: Checkout) -> str:
    paths = set(checkout.paths())
    place = next((one for one in _PLACES if one in paths), None)
    try:
        return checkout.read(place, limit=_LIMIT).decode(errors="replace") if place else ""
    except ForgeError:
        return ""
