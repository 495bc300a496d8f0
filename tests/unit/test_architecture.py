"""Data goes one way: each part imports only what lies further in."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import TopologicalSorter
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
    *("bot", "bot.app", "bot.cli", "bot.commands", "bot.convert", "bot.logs", "bot.under_care"),
    *("bot.hearing", "bot.service", "bot.talk", "bot.telling", "bot.workshop"),
}


def part(module: str) -> str:
    return ".".join(module.split(".")[:2])


def modules(folder: str) -> dict[str, Path]:
    """The files of a folder by the names they are imported by."""
    files = {file.relative_to(ROOT): file for file in sorted((ROOT / folder).rglob("*.py"))}
    return {".".join(path.with_suffix("").parts).removesuffix(".__init__"): files[path] for path in files}


@cache
def imports(folder: str) -> tuple[tuple[str, str, str], ...]:
    """Every (module, imported module, place) below a folder, of modules that are in it."""
    return tuple(_imports(modules(folder)))


def _imports(known: Mapping[str, Path]) -> Iterator[tuple[str, str, str]]:
    for module, file in known.items():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                names = {f"{node.module}.{alias.name}" for alias in node.names}
                for name in (names & known.keys()) or ({node.module} & known.keys()):
                    yield module, name, f"{file.relative_to(ROOT)}:{node.lineno}"


def test_every_part_has_its_place() -> None:
    assert {part(module) for module in modules("bot")} == set(ALLOWED) | OUTERMOST


def test_no_module_needs_itself_by_way_of_others() -> None:
    graph: dict[str, set[str]] = {}
    for module, imported, _ in imports("bot"):
        graph.setdefault(module, set()).add(imported)

    TopologicalSorter(graph).prepare()  # raises CycleError, which names the modules


def test_no_test_takes_anything_from_a_file_of_tests() -> None:
    taken = [place for _, name, place in imports("tests") if name.rpartition(".")[2].startswith("test_")]

    assert taken == []


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_a_part_imports_only_what_lies_further_in(name: str) -> None:
    wrong = [
        f"{place} imports {target}"
        for source, target, place in imports("bot")
        if part(source) == name and part(target) not in ALLOWED[name] | {name}
    ]

    assert wrong == []
