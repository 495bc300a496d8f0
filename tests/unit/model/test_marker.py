"""Slots, branches and markers, whatever their parts hold."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model import marker

HOSTILE = {
    "empty": "",
    "dots": "..",
    "option": "--upload-pack=x",
    "lock": "main.lock",
    "reflog": "a@{1}",
    "escape": "a/../../b",
    "nul": "a\0b",
    "newline": "a\nrefs/heads/main",
    "comment end": "x --> <b>",
    "nested comment": "<!-- refit slot=a digest=b -->",
    "space": "two words",
    "unicode": "приложение/образ",
    "bidi": "a\u202eb",
    "long": "x" * 5000,
}
hostile = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)


@hostile
def test_a_branch_is_valid_for_git_whatever_it_is_named_after(text: str) -> None:
    name = marker.branch(marker.slot(text, text, [text]), text, text)
    checked = subprocess.run(["git", "check-ref-format", "--branch", name], check=False, timeout=10)
    assert checked.returncode == 0
    assert name.startswith("refit/")
    assert len(name) < 100


@hostile
def test_a_marker_is_read_back_whatever_it_holds(text: str) -> None:
    slot = marker.slot(text, text, [text])
    assert marker.parse(marker.marker(slot, f"sha256:{text}"[:100])) == (slot, f"sha256:{text}"[:100])


@given(st.text(max_size=50), st.text(min_size=1, max_size=50))
def test_a_marker_is_one_well_formed_comment(slot: str, digest: str) -> None:
    line = marker.marker(slot or "s", digest)
    assert line.count("-->") == 1
    assert "--" not in line.removeprefix("<!--").removesuffix("-->")
    assert line.isascii()
    assert marker.parse(line) == (slot or "s", digest)


def test_a_slot_is_the_same_for_files_in_any_order_and_another_for_other_files() -> None:
    one = marker.slot("acme/shop", "debian:12", ["a", "b"])
    assert one == marker.slot("acme/shop", "debian:12", ["b", "a", "a"])
    others = {
        marker.slot("acme/shop", "debian:12", ["a"]),
        marker.slot("acme/shop", "debian:12-slim", ["a", "b"]),
        marker.slot("acme/shop2", "debian:12", ["a", "b"]),
        marker.slot("acme/sh@p", "debian:12", ["a", "b"]),
        marker.slot("acme/sh p", "debian:12", ["a", "b"]),
    }
    assert len(others | {one}) == 6


def test_a_branch_reads_like_what_it_is_for() -> None:
    slot = marker.slot("acme/shop", "debian:bookworm-slim", ["Dockerfile"])
    assert marker.branch(slot, "debian:bookworm-slim", "backend").startswith(
        "refit/debian-bookworm-slim-backend-"
    )


OURS = "<!-- refit slot=s digest=sha256:1 -->"
BODIES = {
    "none": (None, None),
    "no marker": ("hello", None),
    "alone": (OURS, ("s", "sha256:1")),
    "at the end": (f"text\n\n{OURS}\n", ("s", "sha256:1")),
    "carriage returns": (f"text\r\n\r\n{OURS}\r\n", ("s", "sha256:1")),
    "blank after it": (f"text\n{OURS}  \n", ("s", "sha256:1")),
    "the last counts": (f"<!-- refit slot=x digest=y -->\n\n{OURS}", ("s", "sha256:1")),
    "inside a line": (f"see {OURS}", None),
    "quoted": (f"> {OURS}", None),
    "in a list": (f"- {OURS}", None),
    "indented": (f"    {OURS}", None),
    "no digest": ("<!-- refit slot=s -->", None),
    "another tool": ("<!-- renovate slot=s digest=d -->", None),
    "two words": ("<!-- refit slot=a b digest=d -->", None),
    "escaped": ("&lt;!-- refit slot=s digest=d --&gt;", None),
}


@pytest.mark.parametrize(("body", "found"), BODIES.values(), ids=BODIES)
def test_a_marker_counts_only_as_a_line_of_its_own(body: str | None, found: tuple[str, str] | None) -> None:
    assert marker.parse(body) == found


def test_a_marker_is_added_once_and_stands_last() -> None:
    body = marker.marked("text <!-- refit slot=x digest=y -->", "s", "sha256:1")
    assert body.endswith(f"{OURS}\n")
    assert marker.marked(body, "s", "sha256:1") == body
    assert marker.parse(marker.marked(body, "s", "sha256:2")) == ("s", "sha256:2")


SAME = {"line ends": ("t", "a\r\nb"), "blanks at the end": (" t", "a\nb \n\n")}


@pytest.mark.parametrize(("title", "body"), SAME.values(), ids=SAME)
def test_what_a_forge_changes_on_its_own_is_no_change(title: str, body: str) -> None:
    assert marker.body_digest(title, body) == marker.body_digest("t", "a\nb")


def test_another_title_or_body_is_a_change() -> None:
    assert len({marker.body_digest(*pair) for pair in (("t", "a"), ("t", "b"), ("u", "a"), ("ta", ""))}) == 4


@hostile
def test_a_file_name_stays_in_its_folder(text: str) -> None:
    name = marker.file_name(text)
    assert name
    assert not set(name) - set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert name not in {marker.file_name(f"{text}-"), marker.file_name(text.upper() + "X")}
