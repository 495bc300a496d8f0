"""Answers fit every chat, and words from outside do nothing in any of them."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model.answer import Answer, Button
from bot.triggers.chat import github, matrix_text, slack_blocks
from tests.fakes.slack_blocks import complaints
from tests.fakes.slack_server import text_of
from tests.unit.report import hostile
from tests.unit.report.gfm import to_html

# What Matrix clients show: https://spec.matrix.org/v1.16/client-server-api/#mroommessage-msgtypes
MATRIX_TAGS = {"strong", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "p", "em", "code", "a"}


def answer(text: str) -> Answer:
    """An answer with a text in every place that may hold one."""
    return Answer(
        headline=f"{text} has news",
        lines=(text, f"line {text}"),
        table=(("Target", "Now"), (text, "3")),
        foot=text,
        buttons=(Button("Rescan", command=f"rescan {text}", question=f"Really {text}?"),),
        mention="U012AB3CD",
    )


texts = st.text(max_size=300) | st.sampled_from(hostile.ALL)


@given(texts)
def test_slack_takes_every_message_and_calls_only_who_asked(text: str) -> None:
    message = slack_blocks.payload(answer(text))

    assert complaints(message) == []
    marked = [part["text"] for b in message["blocks"] if b["type"] == "context" for part in b["elements"]]
    kinds = [part["type"] for b in message["blocks"] if b["type"] == "context" for part in b["elements"]]
    assert [t for t, kind in zip(marked, kinds, strict=True) if kind == "mrkdwn"] == ["asked by <@U012AB3CD>"]
    assert not re.search(r"<[!@#]", message["text"])


def test_slack_takes_an_answer_of_any_length() -> None:
    long = Answer(
        headline="x" * 5000,
        lines=tuple("y" * 2000 for _ in range(200)),
        table=tuple(tuple("z" * 500 for _ in range(30)) for _ in range(300)),
        foot="f" * 9000,
        buttons=tuple(Button("b" * 200, command="c" * 3000, question="q" * 900) for _ in range(40)),
    )
    message = slack_blocks.payload(long)

    assert complaints(message) == []
    assert "more lines" in text_of(message)


class Tags(HTMLParser):
    """Which tags and addresses an HTML text has, and its words."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]
        assert {name for name, _ in attrs} <= {"href"}

    def handle_data(self, data: str) -> None:
        self.words += data


@given(texts)
def test_matrix_shows_words_as_words(text: str) -> None:
    content = matrix_text.content(answer(text))
    read = Tags()
    read.feed(content["formatted_body"])

    assert read.tags <= MATRIX_TAGS
    assert read.links == []
    assert content["m.mentions"] == {}


@pytest.mark.parametrize("url", ["javascript:alert(1)", "http://evil.example", 'https://x"onclick="alert(1)'])
def test_matrix_links_only_to_pages_that_are_ours_to_give(url: str) -> None:
    shown = matrix_text.content(Answer("x", buttons=(Button("Open PR", url=url),)))["formatted_body"]
    read = Tags()
    read.feed(shown)

    assert read.links in ([], [html.unescape(url)])
    assert "onclick=" not in html.unescape(shown) or "&quot;" in shown


@pytest.mark.parametrize("text", hostile.ALL[:60])
def test_github_shows_words_as_words(text: str) -> None:
    shown = to_html(github.markdown(answer(text)))

    assert "<a " not in shown
    assert "<script" not in shown
    assert "<img" not in shown
    assert not re.search(r"(?<![\w&])@[A-Za-z]", shown)


SAID: dict[str, tuple[dict[str, object], str | None]] = {
    "a word of ours": ({"body": "!rescan debian:12"}, "rescan debian:12"),
    "another bot's": ({"body": "!roll 2d6"}, None),
    "our id": ({"body": "@refit:x.org: status"}, "status"),
    "our name": ({"body": "Refit status"}, "status"),
    "a name that begins as ours": ({"body": "Refitting is fun"}, None),
    "a reply to us": ({"body": "> <@refit:x.org> Done\n> in 3 s\n\n!status"}, "status"),
    "a quote of a command": ({"body": "> <@a:x.org> !status\n\nwhat is that?"}, None),
    "a picture": ({"body": "!status", "msgtype": "m.image"}, None),
    "an edit": ({"body": "* !status", "m.relates_to": {"rel_type": "m.replace"}}, None),
    "no body": ({}, None),
    "nonsense for ids": ({"body": "hi", "m.mentions": {"user_ids": 5}}, None),
    "nonsense": ({"body": 3, "m.mentions": "x", "m.relates_to": []}, None),
}


@pytest.mark.parametrize("stamp", ["soon", None, [], -1, 10**400, 1e308])
def test_in_matrix_a_time_that_is_none_is_long_ago(stamp: object) -> None:
    assert matrix_text.sent_at({"origin_server_ts": 1_764_000_000_500}) == 1_764_000_000.5
    assert matrix_text.sent_at({"origin_server_ts": stamp}) == 0.0


@pytest.mark.parametrize(("said", "words"), SAID.values(), ids=SAID)
def test_in_matrix_only_what_is_for_us_is_heard(said: dict[str, object], words: str | None) -> None:
    assert matrix_text.command_in({"msgtype": "m.text", **said}, "@refit:x.org", "Refit") == words
