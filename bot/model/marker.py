"""How a publication is found again: its slot, the branch named after it, and a hidden marker. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, unquote

BRANCH_PREFIX: Final = "refit/"
WITHDRAWN: Final = "withdrawn"
_SLUG_LENGTH: Final = 60
_PART_LENGTH: Final = 80
# A line of its own: the same words inside a quoted title or log do not count.
_MARKER: Final = re.compile(
    r"^<!-- refit slot=(\S{1,600}) digest=(\S{1,600})(?: on=(\S{1,80}))? -->[ \t]*$", re.MULTILINE
)


def slot(project: str, image: str, files: Iterable[str]) -> str:
    """Name the one place that an update of an image in some files of a project has.

    Args:
        project: The project's name.
        image: What moves, without its digest: `debian:bookworm-slim`.
        files: Paths of the files it changes, in any order.

    Returns:
        `acme/shop|debian:bookworm-slim|1f0c2a9be377`: readable, and different for each combination.
    """
    identity = json.dumps([project, image, sorted(set(files))])
    return f"{_plain(project)}|{_plain(image)}|{_hash(identity, 12)}"


def about(slot: str) -> str:
    """What moves, as a slot names it: `debian:bookworm-slim`; empty for no slot."""
    return "".join(slot.split("|")[1:2])


def branch(slot: str, *words: str, prefix: str = BRANCH_PREFIX) -> str:
    """Name the branch of a slot: valid for git whatever the words hold.

    Args:
        slot: See `slot`.
        words: What a person should read in it (image, target); by default the slot's image.
        prefix: Folder of all our branches.

    Returns:
        `refit/debian-bookworm-slim-backend-9b1f03c2`.
    """
    readable = slug(*(words or (about(slot),)), length=_SLUG_LENGTH)
    return f"{prefix}{readable}-{_hash(slot, 8)}"


def proposal(references: Iterable[str]) -> str:
    """Name what a publication proposes: the one new reference, else a hash of all of them in any order."""
    distinct = sorted(set(references))
    return distinct[0] if len(distinct) == 1 else f"{len(distinct)} images {_hash(json.dumps(distinct), 64)}"


def marker(slot: str, digest: str, context: str = "") -> str:
    """Write the hidden line that `parse` finds; survives any text in slot and digest.

    Args:
        slot: See `slot`.
        digest: What is proposed.
        context: What it was proved on, where that decides whether the branch must move: see `context`.
    """
    on = f" on={_encode(context)}" if context else ""
    return f"<!-- refit slot={_encode(slot)} digest={_encode(digest)}{on} -->"


def parse(body: str | None) -> tuple[str, str] | None:
    """Find slot and digest in the text of a publication; the last marker counts.

    Text from outside can come before ours, never after it: `marked` puts the marker at the end.
    """
    found = _MARKER.findall((body or "").replace("\r\n", "\n"))
    return (unquote(found[-1][0]), unquote(found[-1][1])) if found else None


def withdrawn(body: str | None) -> str:
    """The text with a marker that proposes nothing any more: what Refit itself closed may be made anew."""
    text = (body or "").replace("\r\n", "\n")
    return _MARKER.sub(lambda found: marker(unquote(found[1]), WITHDRAWN), text)


def context(body: str | None) -> str:
    """What the text's proposal was proved on; empty where its marker does not say."""
    found = _MARKER.findall((body or "").replace("\r\n", "\n"))
    return unquote(found[-1][2]) if found else ""


def context_of(trees: Iterable[str]) -> str:
    """One word for the git ids of everything a proposal was proved on, in any order."""
    return _hash(json.dumps(sorted(set(trees))), 12)


def said(key: str) -> str:
    """The hidden first line of a comment of ours, by which it is found and kept up to date."""
    return f"<!-- refit says={_encode(key)} -->"


def marked(body: str, slot: str, digest: str) -> str:
    """The text with its marker as last word; unchanged where it already is."""
    if parse(body) == (slot, digest):
        return body
    return f"{body.rstrip()}\n\n{marker(slot, digest)}\n"


def body_digest(title: str, body: str) -> str:
    """Sha256 of title and body, blind to what a forge changes on its own (line ends, blanks at the end)."""
    lines = body.replace("\r\n", "\n").strip()
    return "sha256:" + _hash(json.dumps([title.strip(), lines]), 64)


def slug(*words: str, length: int = _SLUG_LENGTH) -> str:
    """Lower-case letters, digits and single dashes: safe in branch and file names; never empty."""
    joined = re.sub(r"[^a-z0-9]+", "-", "-".join(words).lower())
    return joined[:length].strip("-") or "x"


def file_name(text: str) -> str:
    """A file name that is readable, and different for different texts."""
    short = slug(text)
    return short if short == text else f"{short}-{_hash(text, 8)}"


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._:/-]", "-", text)[:_PART_LENGTH]


def _encode(text: str) -> str:
    # Two dashes would end or break an HTML comment.
    return quote(text, safe="/:@|").replace("--", "%2D%2D").replace("->", "%2D>")


def _hash(text: str, digits: int) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:digits]
