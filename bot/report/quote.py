r"""Text from outside, made harmless for Markdown, titles and commit messages.

CVE titles, labels, package names, versions, logs and chat come from people we do not know. A
pull request body is read by GitHub (mentions, references, closing words, links), by CI systems
(`[skip ci]`), by other bots (lines that start with `/`) and by people (bidi tricks). After
`quote` none of them finds a command in it, on any surface: rendered, as raw text, or as
the squash commit message that GitHub makes of a body.

Two facts shaped this file. GitHub looks for mentions and references *after* Markdown is
rendered, so neither `\@` nor `&#64;` stops one: look-alike characters do. And in a commit
message a numeric entity is itself a reference (`&#91;` names issue 91): only named entities
are written here.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_ANSI: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_INVISIBLE: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufffc")
_HIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_MAX_MARKS: Final = 2  # combining marks on one letter; more is decoration that covers other lines

_BRACKET: Final = re.compile(r"\[([^\[\]]{0,80})\]")
_NESTED: Final = 3  # brackets in brackets
_SKIP_WORD: Final = re.compile(r"(?<![a-z])(?:skip|no)(?![a-z])", re.IGNORECASE)
_NO_CI: Final = re.compile(r"\*+\s*(no[_ -]?ci)\s*\*+", re.IGNORECASE)
_SKIP_CHECKS: Final = re.compile(r"skip-checks(?=\s*:)", re.IGNORECASE)
_NUMBER: Final = re.compile(r"#(?=[0-9])")
# An issue can be closed by its address too, and addresses stay as they are in code.
_CLOSES: Final = re.compile(r"\b(close[sd]?|fix(?:e[sd])?|resolve[sd]?)(:?\s+https?)://", re.IGNORECASE)
_GH: Final = re.compile(r"(?<![0-9A-Za-z])(GH)-(?=\d)", re.IGNORECASE)
_WWW: Final = re.compile(r"(www)\.", re.IGNORECASE)
_HEX: Final = r"[0-9a-f]{7,}(?![0-9A-Za-z_])"
# A word such as "defaced" is no commit, nor is a date such as 20261110, which tags hold.
_DATE: Final = r"(?!(?:19|20)[0-9]{6}(?![0-9A-Za-z_]))"
_SHA: Final = re.compile(rf"(?<![0-9A-Za-z_]){_DATE}(?=[a-f]*[0-9]){_HEX}", re.IGNORECASE)
_SHA_WITH_LETTER: Final = re.compile(rf"(?<![0-9A-Za-z_])(?=[0-9]*[a-f])(?=[a-f]*[0-9]){_HEX}", re.IGNORECASE)
_ORDERED: Final = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")  # `1.29-alpine` begins no list
_BACKTICKS: Final = re.compile(r"`+")

_ENTITIES: Final = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        '"': "&quot;",
        "`": "&grave;",
        "*": "&ast;",
        "_": "&lowbar;",
        "[": "&lbrack;",
        "]": "&rbrack;",
        "|": "&vert;",
        "\\": "&bsol;",
        "#": "&num;",
        "$": "&dollar;",
        "~": "\\~",  # HTML has no name for it
    }
)
_LEADING: Final = {"/": "&sol;", "+": "&plus;", "=": "&equals;", "-": "\\-"}
_VULNERABILITY: Final = (
    (re.compile(r"CVE-[0-9]{4}-[0-9]{4,19}"), "https://www.cve.org/CVERecord?id="),
    (re.compile(r"GHSA(?:-[23456789cfghjmpqrvwx]{4}){3}"), "https://github.com/advisories/"),
)


def quote(text: str, *, limit: int = 200) -> str:
    """Markdown that shows `text` on one line and does nothing else.

    Args:
        text: Anything.
        limit: Most characters shown; what is longer ends in `…`.

    Returns:
        Inline Markdown, fit for paragraphs, lists and table cells. Quoting twice is safe.
    """
    plain = _defuse(_cut(_one_line(text, limit), limit))
    parts, end = [], 0
    for found in _SHA.finditer(plain):
        parts += [plain[end : found.start()].translate(_ENTITIES), f"`{found[0]}`"]
        end = found.end()
    parts.append(plain[end:].translate(_ENTITIES))
    return _guard_start("".join(parts))


def spans(text: str, *, limit: int = 200) -> str:
    """The same, and what stands between backticks in it is shown as code."""
    pieces = visible(text, limit=limit).split("`")
    if len(pieces) % 2 == 0:
        return quote(text, limit=limit)
    return "".join(code(piece) if at % 2 else _kept_apart(piece) for at, piece in enumerate(pieces))


def _kept_apart(piece: str) -> str:
    """A piece of a line, with the blanks at its ends that quoting takes away."""
    before, after = (" " if edge.isspace() else "" for edge in (piece[:1], piece[-1:]))
    return f"{before}{quote(piece)}{after}" if piece.strip() else before


def title(text: str, *, limit: int = 200) -> str:
    """Plain text on one line for titles, commit subjects and logs: as `quote`, with no markup."""
    plain = _defuse(_cut(_one_line(text, limit), limit))
    plain = _SHA_WITH_LETTER.sub(lambda found: f"{found[0][:6]}…", plain)
    return "\u2215" + plain[1:] if plain.startswith("/") else plain


def visible(text: str, *, limit: int = 200) -> str:
    """One line for a terminal: nothing in it is hidden, moves the cursor or turns the text around."""
    return _cut(_one_line(text, limit), limit)


def shown_line(text: str) -> str:
    """A line of a file as it stands there, blanks and all, with nothing hidden in it; for a terminal."""
    return _without_hidden(_ANSI.sub("", text).expandtabs(4))


def code(text: str, *, limit: int = 200) -> str:
    """An inline code span that shows `text`, backticks and pipes included, also in a table cell.

    Names stay as they are (`@babel/core`): GitHub finds no mention or link in code.
    """
    plain = _defuse_code(_cut(_one_line(text, limit), limit))
    if not plain:
        return "(empty)"
    if "|" in plain:  # a pipe in backticks needs a backslash in tables, and shows it elsewhere
        return f"<code>{_defuse(plain).translate(_ENTITIES)}</code>"
    fence = _fence(plain, shortest=1)
    pad = " " if plain[0] == "`" or plain[-1] == "`" else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


def block(log: str, *, lines: int = 50, width: int = 400) -> str:
    """A fenced code block with the last lines of a log; nothing in it can end the block.

    Args:
        log: Output of a build, a container or a scanner.
        lines: Most lines shown; when some are left out the first line says how many.
        width: Most characters of a line.
    """
    kept = [_log_line(line, width) for line in _log_tail(log, lines)]
    left_out = max(0, len(log.splitlines()) - lines)
    if left_out:
        kept.insert(0, f"… {left_out} lines before these are not shown")
    body = "\n".join(kept)
    fence = _fence(body, shortest=3)
    return f"{fence}text\n{body}\n{fence}"


def vulnerability(identifier: str) -> str:
    """A link to where a vulnerability is described, where the id is one we know; else code."""
    for pattern, address in _VULNERABILITY:
        if pattern.fullmatch(identifier):
            return f"[{identifier}]({address}{identifier})"
    return code(identifier, limit=60)


def _one_line(text: str, limit: int) -> str:
    """Visible characters only, each run of white space one space."""
    bounded = _ANSI.sub("", text[: limit * 8 + 1000])
    spaced = "".join(" " if c.isspace() else c for c in bounded)
    return " ".join(_without_hidden(spaced).split())


def _without_hidden(text: str) -> str:
    """Leave out what cannot be seen: control, format (bidi, zero-width), private, filler characters."""
    kept: list[str] = []
    marks = 0
    for char in unicodedata.normalize("NFC", text):
        marks = marks + 1 if unicodedata.combining(char) else 0
        if not _hidden(char) and marks <= _MAX_MARKS:
            kept.append(char)
    return "".join(kept)


def _hidden(char: str) -> bool:
    variation = "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"
    return variation or char in _INVISIBLE or unicodedata.category(char) in _HIDDEN_CATEGORIES


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _defuse(text: str) -> str:
    """Break every mention, reference, address and CI word with characters that look alike."""
    text = _defuse_code(text).replace("@", "\uff20").replace("://", "\uff1a//")
    return _WWW.sub("\\1\u2024", text)


def _defuse_code(text: str) -> str:
    """Break what is also read inside code, by those who read the raw text."""
    for _ in range(_NESTED):
        text = _BRACKET.sub(_without_skip, text)
    text = _SKIP_CHECKS.sub("skip checks", _NO_CI.sub(r"\1", text))
    text = _CLOSES.sub("\\1\\2\uff1a//", text)
    return _GH.sub("\\1\u2011", _NUMBER.sub("# ", text))


def _without_skip(found: re.Match[str]) -> str:
    return f"({found[1]})" if _SKIP_WORD.search(found[1]) else found[0]


def _guard_start(text: str) -> str:
    """No list, heading, rule or command at the start of a line."""
    text = _ORDERED.sub(lambda f: f[1] + ("&period;" if f[2] == "." else "&rpar;"), text)
    return _LEADING.get(text[:1], text[:1]) + text[1:]


def _fence(text: str, *, shortest: int) -> str:
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    return "`" * max(shortest, longest + 1)


def _log_tail(log: str, lines: int) -> list[str]:
    return log.splitlines()[-lines:]


def _log_line(line: str, width: int) -> str:
    """One line of a log: tabs widened, `/command` moved from the line's start, no comment opened."""
    clean = _without_hidden(_ANSI.sub("", line[: width * 4]).expandtabs(4))
    clean = _defuse_code(_cut(clean, width)).replace("<!--", "<! --")
    return f" {clean}" if clean.startswith("/") else clean
