"""Answers in chats as pictures: drawn from Slack's blocks, Matrix's HTML and GitHub's Markdown."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from bot.model.answer import Answer
from bot.model.offer import Offer
from bot.model.run import Cycle, CycleState, Rescan
from bot.model.vulnerability import Severity
from bot.report import chat as answers
from bot.triggers.chat.github import markdown
from bot.triggers.chat.grammar import CHAT, help_text
from bot.triggers.chat.matrix_text import content
from bot.triggers.chat.slack_blocks import payload
from tests.unit.report import samples

_STYLE = """
body{font:15px/1.45 Lato,Arial,sans-serif;color:#1d1c1d;margin:16px;max-width:680px}
.m{border-left:4px solid #ddd;padding:2px 0 2px 12px;margin:0 0 22px}
.c{color:#616061;font-size:12px;margin:6px 0} table{border-collapse:collapse;margin:6px 0;font-size:14px}
td,th{border:1px solid #ddd;padding:3px 10px} td+td{text-align:right}
.b{display:inline-block;border:1px solid #bbb;border-radius:4px;padding:3px 12px;margin:4px 6px 0 0}
.b{font-weight:700;font-size:13px} h2{font-size:13px;color:#888;margin:20px 0 8px}
"""


def pages() -> Iterable[tuple[str, str]]:
    """Name and HTML of each picture."""
    shown = [(name, _slack(payload(answer)["blocks"])) for name, answer in samples_of_answers()]
    yield "chat slack", _page(shown)
    yield (
        "chat matrix",
        _page([(n, f"<div class=m>{content(a)['formatted_body']}</div>") for n, a in samples_of_answers()]),
    )


def github_bodies() -> str:
    """All answers as Markdown."""
    return "\n\n---\n\n".join(markdown(answer) for _, answer in samples_of_answers())


def samples_of_answers() -> list[tuple[str, Answer]]:
    """What people are answered most."""
    comparison = next(one.comparison for one in samples.proved().evidence if one.comparison)
    after = samples.proved().evidence[0].after
    before = next(one.before for one in samples.proved().evidence if one.before)
    rescan = Rescan("backend", "built from 1f0c2a9be377", after.scan, before.scan, comparison, 41.7)
    offer = Offer(
        project="acme/shop",
        target="backend",
        image="debian:bookworm-slim",
        to="bookworm-20261110-slim",
        fixed={Severity.CRITICAL: 3, Severity.HIGH: 9},
        introduced={Severity.LOW: 1},
    )
    asked = answers.rescanned(rescan, (offer,), "acme/shop#backend")
    first = answers.rescanned(
        Rescan("debian:12", "docker.io/library/debian@sha256:aa", before.scan, None, None, 3.2),
        (),
        "debian:12",
    )
    cycle = Cycle(
        "monthly-2026-11", "monthly-2026-11", 1, CycleState.DONE, datetime(2026, 11, 1, 3, tzinfo=UTC)
    )
    problem = Answer(
        "That failed: docker.io does not answer", ("Check the network and the registry's status.",)
    )
    return [
        ("a rescan with an offer", _of(asked, "U012AB3CD")),
        ("a first rescan", _of(first, "U012AB3CD")),
        ("everything", answers.rescanned_all([rescan, rescan], (), [offer])),
        ("status", answers.status([(cycle, ", 3 updates, 1 waiting")], 3, (), UTC)),
        ("help", Answer("This is what I can do:", tuple(help_text(CHAT).splitlines()))),
        ("a failure", _of(problem, "U012AB3CD")),
    ]


def _of(answer: Answer, who: str) -> Answer:
    return Answer(answer.headline, answer.lines, answer.table, answer.foot, answer.buttons, who)


def _page(parts: Iterable[tuple[str, str]]) -> str:
    inside = "".join(f"<h2>{html.escape(name)}</h2>{shown}" for name, shown in parts)
    return f"<!doctype html><meta charset=utf-8><style>{_STYLE}</style>{inside}"


def _slack(blocks: Iterable[Mapping[str, Any]]) -> str:
    return f"<div class=m>{''.join(_BLOCKS[block['type']](block) for block in blocks)}</div>"


def _rich(block: Mapping[str, Any]) -> str:
    parts = [part for section in block["elements"] for part in section["elements"]]
    shown = [html.escape(part["text"]).replace("\n", "<br>") for part in parts]
    bold = [part.get("style", {}).get("bold", False) for part in parts]
    return "".join(f"<b>{text}</b>" if strong else text for text, strong in zip(shown, bold, strict=True))


def _table(block: Mapping[str, Any]) -> str:
    rows = ["".join(f"<td>{html.escape(cell['text'])}</td>" for cell in row) for row in block["rows"]]
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def _context(block: Mapping[str, Any]) -> str:
    shown = " &nbsp; ".join(html.escape(one["text"]) for one in block["elements"])
    return f"<div class=c>{shown}</div>"


def _actions(block: Mapping[str, Any]) -> str:
    return "".join(f"<span class=b>{html.escape(one['text']['text'])}</span>" for one in block["elements"])


_BLOCKS = {"rich_text": _rich, "table": _table, "context": _context, "actions": _actions}
