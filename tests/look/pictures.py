"""Draw what people will see as pictures: `python -m tests.look.pictures FOLDER`.

Pull request and issue bodies go through a GFM renderer (Debian: cmark-gfm) and a browser (Debian:
chromium), wide as on a desk and 360 px as on a phone; the terminal summary is drawn in colour.
"""

from __future__ import annotations

import html
import io
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from bot.audit.dockerfile.view import Context
from bot.audit.project import Subject, audit_dockerfile, together
from bot.model.finding import Audit
from bot.report import audit, compare, dashboard, issue, pull_request, terminal
from bot.report.size import html as size_html
from bot.report.size import markdown as size_markdown
from bot.report.size.quarter import Quarter
from bot.report.size.summing import Frame, report
from bot.report.size.values import SizeReport
from tests.look import chat
from tests.unit.audit.corpus import DOCKERFILES
from tests.unit.report import cases, samples
from tests.unit.report.gfm import to_html
from tests.unit.report.images import compared

_STYLE: Final = Path(__file__).with_name("github.css")
_WIDE: Final = 920
_PHONE: Final = 360


def main(folder: Path) -> None:
    """Write a picture of every sample into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content, width in _pages():
        draw(content, folder / f"{name.replace(' ', '-')}.png", width)


def _pages() -> Iterable[tuple[str, str, int]]:
    for name, make in cases.CASES.items():
        one = [make()]
        markdown = pull_request.body(one, marker=samples.MARKER)
        shown = page(pull_request.title(one), markdown)
        yield f"{name} wide", shown, _WIDE
        yield f"{name} phone", shown, _PHONE
        if name == "pass":
            yield f"{name} open", shown.replace("<details>", "<details open>"), _WIDE
    several = cases.group()
    shown = page(pull_request.title(several), pull_request.body(several, marker=samples.MARKER))
    yield "group wide", shown, _WIDE
    yield "group phone", shown, _PHONE
    trouble = issue.Trouble("frontend", (cases.build_failed(),), (cases.result().decided[3],))
    shown = page(issue.title(trouble), issue.body(trouble, marker=samples.MARKER))
    yield "issue wide", shown, _WIDE
    yield "issue phone", shown, _PHONE
    made = _size_report()
    yield "size report wide", page(size_markdown.title(made), size_markdown.markdown(made)), _WIDE
    yield "size report phone", page(size_markdown.title(made), size_markdown.markdown(made)), _PHONE
    yield "size page wide", size_html.page(made), 1100
    yield "size page phone", size_html.page(made), _PHONE
    yield "size page dark", size_html.page(made), 1100
    standing = dashboard.Standing(
        "acme/shop", (samples.proved(), cases.build_failed()), cases.result().decided
    )
    yield "dashboard wide", page(dashboard.TITLE, dashboard.body(standing, marker=samples.MARKER)), _WIDE
    yield "dashboard phone", page(dashboard.TITLE, dashboard.body(standing, marker=samples.MARKER)), _PHONE
    yield "audit terminal", terminal_page(audit.terminal(_audit(), width=100, color=True)), 1000
    yield "audit wide", page("refit audit", audit.markdown(_audit())), _WIDE
    two = compared()
    yield (
        "compare wide open",
        page("refit compare", compare.markdown(two)).replace("<details>", "<details open>"),
        _WIDE,
    )
    yield "compare phone", page("refit compare", compare.markdown(two)), _PHONE
    yield "compare terminal", terminal_page(compare.render(two, width=100, color=True)), 1000
    run = cases.result(samples.proved(), cases.two_platforms(), cases.build_failed())
    for name, content in chat.pages():
        yield name, content, 720
        yield f"{name} phone", content, _PHONE
    yield "chat github", page("Comments", chat.github_bodies()), _WIDE
    yield "terminal", terminal_page(terminal.render(run, width=110, color=True)), 1000


def _audit() -> Audit:
    """The guide's two images as they were before."""
    before = (case for case in DOCKERFILES if case.name.endswith("end before"))
    subjects = (
        Subject(f"{case.name.split()[-2]}/Dockerfile", case.files[case.main], Context()) for case in before
    )
    return together(tuple(audit_dockerfile(subject, lambda _: "") for subject in subjects))


def _size_report() -> SizeReport:
    """Two targets over a year, one of them over its budget and with an open update."""
    months = [f"2026-{month:02}" for month in range(1, 10)]
    points = [cases.measurement(month, 170_000_000 + 2_500_000 * i) for i, month in enumerate(months)]
    points += [cases.measurement(m, 58_700_000, target="frontend", build_seconds=12.0) for m in months[6:]]
    points.append(cases.measurement("2026-09", 186_000_000, base="debian:new", applied=False, high=0))
    now = datetime(2026, 10, 2, tzinfo=UTC)
    budgets = {("acme/shop", "backend"): 185_000_000}
    frame = Frame(Quarter(2026, 3), zone=UTC, now=now, baselines=[samples.BASELINE], budgets=budgets)
    return report(points, frame)


def page(heading: str, markdown: str) -> str:
    """A body as GitHub shows it, near enough to judge it."""
    style = _STYLE.read_text(encoding="utf-8")
    inside = f"<h1>{html.escape(heading)}</h1>{to_html(markdown)}"
    return f"<!doctype html><meta charset=utf-8><style>{style}</style><article>{inside}</article>"


def terminal_page(text: str) -> str:
    """Terminal output with its colours."""
    console = Console(record=True, width=112, file=io.StringIO())
    console.print(Text.from_ansi(text))
    return console.export_html(inline_styles=True)


def draw(content: str, picture: Path, width: int) -> None:
    """Take a picture of a page with chromium, as high as the page."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "page.html"
        frame = f"<iframe src=page.html style='border:0;width:{width}px;height:4000px'></iframe>"
        source.write_text(content, encoding="utf-8")
        (Path(folder) / "frame.html").write_text(f"<body style='margin:0'>{frame}", encoding="utf-8")
        height = 2600 if "open" in picture.stem else 1100
        command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        command += ["--blink-settings=preferredColorScheme=0"] if "dark" in picture.stem else []
        command += [f"--window-size={max(width, 500)},{height}", f"--screenshot={picture}"]
        command.append((Path(folder) / "frame.html").as_uri())
        subprocess.run(command, check=True, capture_output=True, timeout=120)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "pictures"))
