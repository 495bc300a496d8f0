"""What a text becomes on a page: its elements, and what GitHub would act on."""

from __future__ import annotations

import re
import unicodedata
from html.parser import HTMLParser

# What GitHub looks for in rendered text (outside code), and in commit messages.
MENTION = re.compile(r"(?<![A-Za-z0-9_/])@[A-Za-z0-9]")
REFERENCE = re.compile(r"#\d|\bGH-\d", re.IGNORECASE)
ADDRESS = re.compile(r"[a-z]://|www\.[a-z]|[\w.+-]@[\w-]+\.\w", re.IGNORECASE)
COMMIT = re.compile(r"(?<!\w)(?=\w*[a-f])(?=\w*\d)[0-9a-f]{7,40}(?!\w)")
SKIP = re.compile(
    r"\[[^\]]*(?<![a-z])(?:skip|no)(?![a-z])[^\]]*\]|\*\*\*no.ci|skip-checks\s*:", re.IGNORECASE
)
DANGERS = {"mention": MENTION, "reference": REFERENCE, "address": ADDRESS, "commit": COMMIT, "skip": SKIP}


class Page(HTMLParser):
    """The elements of a rendered text, and its text outside code."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.text, self.code = "", ""
        self.comments: list[str] = []
        self._inside = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser's own signature
        self.elements.append(tag)
        self._inside += tag == "code"

    def handle_endtag(self, tag: str) -> None:
        self._inside -= tag == "code"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.code += data
        else:
            self.text += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def dangers(text: str, *, but: str = "") -> list[str]:
    return [name for name, pattern in DANGERS.items() if name != but and pattern.search(text)]


def hidden(text: str) -> list[str]:
    return [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co")]
