"""Data goes one way: each part imports only what lies further in."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INNER = {"bot.model", "bot.errors"}
ADAPTER = INNER | {"bot.ports", "bot.process"}

# What each part may import beside itself; the pure parts import only the innermost.
ALLOWED = {
    "bot.model": set[str](),
    "bot.errors": set[str](),
    "bot.ports": {"bot.model"},
    "bot.process": {"bot.errors"},
    "bot.clock": set[str](),
    "bot.progress": set[str](),
    "bot.dockerfile": INNER,
    "bot.updates": INNER,
    "bot.report": INNER,
    # Dockerfiles are read by the one reader there is.
    "bot.audit": INNER | {"bot.dockerfile", "bot.saved"},
    # And saved images by theirs.
    "bot.saved": INNER,
    "bot.registry": ADAPTER,
    "bot.builder": ADAPTER | {"bot.saved"},
    "bot.scanner": ADAPTER,
    "bot.store": ADAPTER,
    "bot.artifacts": ADAPTER,
    "bot.queue": ADAPTER,
    "bot.notify": ADAPTER,
    # A plain folder leaves out the same files as a project's checkout.
    "bot.forge": ADAPTER | {"bot.dockerfile"},
    "bot.settings": INNER,
    "bot.cycle": INNER | {"bot.ports", "bot.dockerfile", "bot.updates", "bot.report", "bot.audit"},
    # What a chat is answered is rendered where everything is.
    "bot.triggers": INNER | {"bot.ports", "bot.cycle", "bot.report"},
    "bot.web": INNER | {"bot.ports", "bot.triggers"},
}
OUTERMOST = {
    *("bot.__init__", "bot.app", "bot.cli", "bot.commands", "bot.convert", "bot.logs", "bot.under_care"),
    *("bot.hearing", "bot.service", "bot.talk", "bot.workshop"),
}


def part(module: str) -> str:
    return ".".join(module.split(".")[:2])


def imports() -> Iterator[tuple[str, str, str]]:
    """Every (part, imported part, place) of the package."""
    for file in sorted((ROOT / "bot").rglob("*.py")):
        module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("bot"):
                for alias in node.names:
                    name = f"bot.{alias.name}" if node.module == "bot" else node.module
                    yield part(module), part(name), f"{file.relative_to(ROOT)}:{node.lineno}"


def test_every_part_has_its_place() -> None:
    parts = {part(".".join(f.relative_to(ROOT).with_suffix("").parts)) for f in (ROOT / "bot").rglob("*.py")}

    assert parts == set(ALLOWED) | OUTERMOST


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_a_part_imports_only_what_lies_further_in(name: str) -> None:
    wrong = [
        f"{place} imports {target}"
        for source, target, place in imports()
        if source == name and target not in ALLOWED[name] | {name}
    ]

    assert wrong == []
