"""`refit doctor`: what Refit needs from this machine, and what to do where it is not there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot import process
from bot.app import access, builder_settings, scanner, state_folder
from bot.builder import DockerBuilder
from bot.clock import SystemClock
from bot.commands.options import ConfigOption, find_config
from bot.errors import RefitError
from bot.report.wording import day
from bot.scanner import TrivyScanner
from bot.settings import ForgeKind, Settings, load
from bot.store.sql import open_store, sqlite_url


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: whether it is fine, what was seen, what to do."""

    name: str
    fine: bool
    seen: str
    advice: str = ""


def doctor(config: ConfigOption = None) -> int:
    """Check engine, BuildKit, Trivy and its database, git, the state folder and the forge."""
    path = find_config(config)
    settings = load(path) if path else Settings()
    findings = examine(settings)
    console = Console()
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for finding in findings:
        mark = Text("✓", "green") if finding.fine else Text("✗", "bold red")
        told = Text(finding.seen) if finding.fine else Text(f"{finding.seen}\n{finding.advice}".strip())
        table.add_row(mark, Text(finding.name), told)
    console.print(table)
    if path is None:
        console.print(
            Text("No configuration here: `refit init` writes one. The defaults were checked.", "dim")
        )
    return 0 if all(finding.fine for finding in findings) else 3


def examine(settings: Settings) -> list[Finding]:
    """Look at everything, one after the other; a failure of one stops no other."""
    trivy = scanner(settings, SystemClock())
    looks: list[tuple[str, Callable[[], str]]] = [
        ("state folder", partial(_state, settings)),
        ("git", _git),
        ("engine", DockerBuilder(builder_settings(settings)).available),
        ("trivy", trivy.identity),
        ("database", partial(_database, trivy)),
    ]
    if any(project.forge is ForgeKind.GITHUB for project in settings.projects):
        looks.append(("github", partial(_github, settings)))
    return [_look(name, look) for name, look in looks]


def _look(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, fine=True, seen=look())
    except RefitError as error:
        return Finding(name, fine=False, seen=error.message, advice=error.hint)


def _git() -> str:
    return process.run(["git", "--version"], timeout=10).text.strip()


def _database(trivy: TrivyScanner) -> str:
    return f"from {day(trivy.database().updated_at)}"


def _state(settings: Settings) -> str:
    folder = state_folder(settings)
    open_store(sqlite_url(folder)).close()
    return str(folder)


def _github(settings: Settings) -> str:
    first = next(project for project in settings.projects if project.forge is ForgeKind.GITHUB)
    return f"{settings.github.url} as {access(settings).login(first.name)}"
