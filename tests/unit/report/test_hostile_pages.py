"""Hostile words in the issues of targets and on the dashboard: shown, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from bot.model.checkbox import ticked
from bot.model.run import Decided
from bot.model.update import Abandoned, Waiting
from bot.report import dashboard, issue
from tests.unit.report import cases, hostile, samples
from tests.unit.report.gfm import to_html
from tests.unit.report.page import Page

FORBIDDEN = {"script", "img", "svg", "style", "iframe", "form"}


def decided(text: str) -> Decided:
    """A use whose every word is the text."""
    known = cases.result().decided[3]
    use = replace(known.use, text=text, file=text, reference=None, skipped=text)
    return Decided("acme/shop", text, use, Abandoned(text, (text, text)))


def test_the_issue_of_a_target_only_shows_them() -> None:
    for text in hostile.ALL:
        trouble = issue.Trouble(text, (), (decided(text),))
        page = Page(to_html(issue.body(trouble, marker=samples.MARKER)))
        assert FORBIDDEN.isdisjoint(page.elements), text
        assert "input" not in page.elements, text
        assert "\n" not in issue.title(trouble), text
        assert "@" not in issue.title(trouble), text


def test_on_the_dashboard_they_tick_no_box_and_say_no_command_of_their_own() -> None:
    for text in hostile.ALL:
        waits = replace(decided(text), outcome=Waiting(text))
        standing = dashboard.Standing("acme/shop", (), (decided(text), waits))
        body = dashboard.body(standing, marker=samples.MARKER)
        assert FORBIDDEN.isdisjoint(Page(to_html(body)).elements), text
        commands = ticked(body, body.replace("[ ]", "[x]"))
        assert all(one.startswith(("open acme/shop#", "snooze ")) for one in commands), text
        assert len(commands) <= 3, text
