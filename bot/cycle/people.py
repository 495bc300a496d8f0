"""Who is asked about a pull request: people and teams of the configuration, and the owners of its files.

CODEOWNERS as GitHub reads it ("About code owners"): the patterns of .gitignore, but that `docs/*` is no file
in a folder of `docs`; the last match wins, and a pattern with no owner takes the ownership away.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from bot.dockerfile.globs import Allowance, Globs
from bot.errors import ConfigError, ForgeError
from bot.ports import Checkout

OWNERS: Final = "CODEOWNERS"
_PLACES: Final = (f".github/{OWNERS}", OWNERS, f"docs/{OWNERS}")
_LIMIT: Final = 3 * 1024**2  # GitHub ignores a larger one


def asked(names: Sequence[str], files: Iterable[str], checkout: Checkout) -> tuple[str, ...]:
    """Logins, and teams as `owner/team`; the word `CODEOWNERS` stands for the owners of the changed files."""
    owners = owners_of(_text(checkout), files) if OWNERS in names else ()
    return tuple(dict.fromkeys(n for name in names for n in (owners if name == OWNERS else (name,))))


def owners_of(text: str, files: Iterable[str]) -> tuple[str, ...]:
    """The owners of some files, in the order of the files; addresses of mail are left out.

    Nobody where the patterns take too long: whom to ask is a courtesy.
    """
    allowance = Allowance()
    rules = [_rule(line, allowance) for line in text.splitlines() if line.split("#")[0].strip()]
    found: list[str] = []
    for file in files:
        owners = _owners(rules, file)
        found += [name.removeprefix("@") for name in owners if name.startswith("@")]
    return tuple(dict.fromkeys(found))


def _owners(rules: Sequence[tuple[Globs, Sequence[str]]], file: str) -> Sequence[str]:
    try:
        return next((who for globs, who in reversed(rules) if globs.match(file)), ())
    except ConfigError:
        return ()


def _rule(line: str, allowance: Allowance) -> tuple[Globs, Sequence[str]]:
    pattern, *owners = line.split("#", maxsplit=1)[0].replace("\\ ", "?").split()
    direct = pattern.endswith("/*") and not pattern.endswith("**/*")
    return Globs([pattern, f"!{pattern}/"] if direct else [pattern], allowance), owners


def _text(checkout: Checkout) -> str:
    paths = set(checkout.paths())
    place = next((one for one in _PLACES if one in paths), None)
    try:
        return checkout.read(place, limit=_LIMIT).decode(errors="replace") if place else ""
    except ForgeError:
        return ""
