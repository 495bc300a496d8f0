"""GitHub Flavored Markdown to HTML by the reference renderer, as a test sees it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence

_EXTENSIONS = ("table", "strikethrough", "autolink", "tagfilter", "tasklist", "footnotes")
_SPLIT = "\n\n<!-- next -->\n\n"


def to_html(markdown: str) -> str:
    """Render Markdown, raw HTML kept, as GitHub does before it sanitises."""
    program = shutil.which("cmark-gfm")
    assert program, "these tests need cmark-gfm: apt-get install cmark-gfm"
    flags = [flag for name in _EXTENSIONS for flag in ("-e", name)]
    done = subprocess.run(
        [program, "--unsafe", *flags], input=markdown, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def each_to_html(texts: Sequence[str]) -> list[str]:
    """Render many in one call; each stands between its own blank lines."""
    pages = to_html(_SPLIT.join(texts)).split("<!-- next -->")
    assert len(pages) == len(texts), "a text swallowed its separator"
    return pages
