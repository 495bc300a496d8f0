"""Text from outside is shown and does nothing, on every surface it reaches."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.report.quote import block, code, quote, spans, title, visible, vulnerability
from tests.unit.report import hostile
from tests.unit.report.gfm import each_to_html, to_html
from tests.unit.report.page import REFERENCE, SKIP, Page, dangers, hidden


def pages(texts: list[str]) -> list[Page]:
    return [Page(page) for page in each_to_html(texts)]


def test_there_are_at_least_150_hostile_strings() -> None:
    assert len(set(hostile.ALL)) >= 150


def test_a_quoted_text_renders_as_one_paragraph_of_plain_text_or_code() -> None:
    for text, page in zip(hostile.ALL, pages([f"Before {quote(t)} after" for t in hostile.ALL]), strict=True):
        assert set(page.elements) <= {"p", "code"}, text
        assert page.elements.count("p") == 1, text
        assert not page.comments, text


def test_a_quoted_text_at_the_start_of_a_line_is_no_list_heading_or_command() -> None:
    for text, page in zip(hostile.ALL, pages([quote(t) for t in hostile.ALL]), strict=True):
        assert set(page.elements) <= {"p", "code"}, text
        assert not quote(text).startswith("/"), text


def test_github_finds_nothing_in_the_rendered_text() -> None:
    for text, page in zip(hostile.ALL, pages([quote(t) for t in hostile.ALL]), strict=True):
        assert not dangers(page.text), (text, page.text)


def test_a_commit_message_made_of_the_raw_text_does_nothing_either() -> None:
    for text in hostile.ALL:
        raw = quote(text)
        assert "\n" not in raw
        assert not dangers(raw, but="commit"), (text, raw)
        assert "&#" not in raw, text


def test_nothing_unseen_stays_in_any_form() -> None:
    for text in hostile.ALL:
        for form in (quote(text), title(text), code(text), visible(text), block(text).replace("\n", "")):
            assert not hidden(form), (text, form)


def test_a_quoted_text_fits_one_cell_of_a_table() -> None:
    head = "| a | b |\n|---|---|\n"
    tables = [f"{head}| {quote(t)} | {code(t)} |" for t in hostile.ALL]
    for text, page in zip(hostile.ALL, pages(tables), strict=True):
        assert page.elements.count("td") == 2, text
        assert page.elements.count("tr") == 2, text
        assert "a" not in page.elements, text


def test_quoting_twice_is_still_harmless() -> None:
    for text, page in zip(hostile.ALL, pages([quote(quote(t)) for t in hostile.ALL]), strict=True):
        assert set(page.elements) <= {"p", "code"}, text
        assert not dangers(page.text), text


def test_a_title_is_one_harmless_line() -> None:
    for text in hostile.ALL:
        line = title(text)
        assert "\n" not in line
        assert not line.startswith("/"), text
        assert not dangers(line), (text, line)


def test_a_code_span_shows_its_text_and_stays_code() -> None:
    texts = [t for t in hostile.ALL if visible(t)]
    for text, page in zip(texts, pages([f"x {code(t)} y" for t in texts]), strict=True):
        assert page.elements == ["p", "code"], text
        assert page.text.strip() == "x  y", text
        assert not dangers(page.text), text
        assert not SKIP.search(page.code), text
        assert not REFERENCE.search(page.code), text


def test_nothing_in_a_log_ends_its_block() -> None:
    for text in hostile.ALL:
        page = Page(to_html(block(f"{text}\n```\n~~~\n````text\n/refit\n{text}"))) if "`" in text else None
        assert page is None or page.elements == ["pre", "code"], text
    page = Page(to_html(block("\n".join(t.replace("\n", " ") for t in hostile.ALL), lines=9999)))
    assert page.elements == ["pre", "code"]
    assert not re.search(r"^/", page.code, re.MULTILINE)
    assert not REFERENCE.search(page.code)
    assert not SKIP.search(page.code)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("libssl3: out-of-bounds read (CVSS 9.8)", "libssl3: out-of-bounds read (CVSS 9.8)"),
        ("a < b && c > d", "a < b && c > d"),
        ("50 % of *all* cases", "50 % of *all* cases"),
        ("Wörter, 漢字 and עברית", "Wörter, 漢字 and עברית"),
        ("version 2026-11-10", "version 2026-11-10"),
        ("a defaced, effaced facade", "a defaced, effaced facade"),
        ("C# and F#", "C# and F#"),
    ],
)
def test_ordinary_text_is_shown_as_it_is(text: str, shown: str) -> None:
    assert Page(to_html(quote(text))).text.strip() == shown


@pytest.mark.parametrize("text", ["1.29-alpine exists", "bookworm-20261110-slim", "20260811"])
def test_a_tag_reads_the_same_in_the_source_and_on_the_page(text: str) -> None:
    assert quote(text) == text


def test_what_stands_between_backticks_is_code_and_nothing_in_it_gets_out() -> None:
    page = Page(to_html(spans("`npm ci` comes after line 3 & `<b>@all</b>`: why")))
    assert page.code == "npm ci<b>@all</b>"
    assert page.text.strip() == "comes after line 3 & : why"
    assert set(page.elements) == {"p", "code"}


def test_hostile_text_in_and_around_backticks_does_nothing() -> None:
    for form in ("{}", "`{}` and {}", "{} `x` {}"):
        shown = [spans(form.format(text, text), limit=999) for text in hostile.ALL]
        for text, page in zip(hostile.ALL, pages(shown), strict=True):
            assert set(page.elements) <= {"p", "code"}, (text, page.elements)
            assert not dangers(page.text), (text, page.text)


def test_package_names_and_versions_stay_copyable_in_code() -> None:
    for name in ("@babel/core", "1:1.2.13.dfsg-1~deb12u1", "libstdc++6", "github.com/x/y", "org.a:b"):
        assert Page(to_html(code(name))).code == name


@pytest.mark.parametrize("limit", [1, 2, 10, 200])
def test_what_is_too_long_ends_in_an_ellipsis_and_is_bounded(limit: int) -> None:
    for form in (title, visible):
        line = form("x" * 10_000, limit=limit)
        assert len(line) <= limit
        assert line.endswith("…")


def test_the_end_of_a_long_log_is_kept_and_what_is_missing_is_said() -> None:
    text = block("\n".join(str(i) for i in range(100)), lines=50)
    assert "… 50 lines before these are not shown" in text
    assert "\n99\n" in text
    assert "\n49\n" not in text


@pytest.mark.parametrize(
    ("identifier", "linked"),
    [
        ("CVE-2025-12345", True),
        ("GHSA-69fq-xp46-6x23", True),
        ("TEMP-0000000-ABCDEF", False),
        ("CVE-2025-1234](https://evil.example)", False),
        ("cve-2025-12345\n", False),
        ("CVE-2025-\uff11\uff12\uff13\uff14", False),
    ],
)
def test_only_ids_of_a_known_form_become_links(identifier: str, linked: bool) -> None:  # noqa: FBT001 - a table
    assert ("a" in Page(to_html(vulnerability(identifier))).elements) is linked


@given(st.text(max_size=300))
def test_no_text_at_all_survives_as_a_danger(text: str) -> None:
    assert not dangers(html.unescape(title(text)))
    assert not dangers(quote(text), but="commit")
    assert not hidden(quote(text) + title(text) + code(text) + visible(text))
    assert "\n" not in quote(text) + title(text) + code(text) + visible(text)


@pytest.mark.parametrize("word", ["Fixes", "closes:", "RESOLVED"])
def test_code_that_would_close_an_issue_by_its_address_does_not(word: str) -> None:
    shown = code(f"{word} https://github.com/acme/shop/issues/7")

    assert "://" not in shown
    assert "github.com/acme/shop" in shown
    assert code("deb https://archive.example.com") == "`deb https://archive.example.com`"
