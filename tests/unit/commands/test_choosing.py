"""`refit check --tags-from`: rules tried on a list of tags, with no network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.commands.conftest import Refit

Write = Callable[[str, str], Path]
TAGS = """\
1.27-alpine
1.27.1-alpine

1.28-alpine
1.29-alpine
1.30-rc1-alpine
1.29
2.0-alpine
latest
"""
DIGEST = "sha256:" + "a" * 64

CHOICES = {
    "digest keeps the tag": ("digest", "nginx:1.27-alpine", "nginx:1.27-alpine"),
    "digest is the default": (None, "nginx:1.27-alpine", "nginx:1.27-alpine"),
    "minor": ("minor", "nginx:1.27-alpine", "nginx:1.29-alpine"),
    "major": ("major", "nginx:1.27-alpine", "nginx:2.0-alpine"),
    "no newer one": ("major", "nginx:2.0-alpine", "nginx:2.0-alpine"),
    "the spelling stays": (
        "minor",
        "docker.io/library/nginx:1.27-alpine",
        "docker.io/library/nginx:1.29-alpine",
    ),
    "a pin is taken off with its tag": ("minor", f"nginx:1.27-alpine@{DIGEST}", "nginx:1.29-alpine"),
    "a pin stays with its tag": ("digest", f"nginx:1.27-alpine@{DIGEST}", f"nginx:1.27-alpine@{DIGEST}"),
    "a digest alone has no tag to choose": ("major", f"nginx@{DIGEST}", f"nginx@{DIGEST}"),
    "latest has no version": ("major", "nginx", "nginx"),
}


@pytest.mark.parametrize(("level", "image", "chosen"), CHOICES.values(), ids=CHOICES.keys())
def test_just_the_chosen_reference_is_printed(
    refit: Refit, write: Write, level: str | None, image: str, chosen: str
) -> None:
    allow = ["--allow", level] if level else []

    answer = refit("check", "--tags-from", write("tags.txt", TAGS), *allow, image)

    assert (answer.code, answer.out, answer.err) == (0, f"{chosen}\n", "")


def test_explained_every_tag_is_accounted_for(refit: Refit, write: Write) -> None:
    file = write("tags.txt", TAGS)

    answer = refit("check", "--explain", "--tags-from", file, "--allow", "minor", "nginx:1.27-alpine")

    assert answer.code == 0
    first, *rest = answer.out.splitlines()
    assert first == "1.27-alpine → 1.29-alpine (minor), chosen from 8 tags"
    assert "  1.29-alpine: taken (minor)" in rest
    assert "  1.28-alpine: not taken, there is a better one (minor)" in rest
    assert any(line.startswith("  2.0-alpine: not taken, a major update goes further") for line in rest)
    assert "  1 not taken, a pre-release: 1.30-rc1-alpine" in rest
    assert "  1 not taken, the tag in use: 1.27-alpine" in rest


def test_explained_a_tag_that_stays_says_so(refit: Refit, write: Write) -> None:
    file = write("tags.txt", TAGS)

    answer = refit("check", "--explain", "--tags-from", file, "nginx:1.27-alpine")

    assert answer.out.startswith("1.27-alpine stays: none of 8 tags is a newer one that the rule allows")


def test_hostile_tags_reach_the_terminal_without_their_control_characters(refit: Refit, write: Write) -> None:
    file = write("tags.txt", "1.28-alpine\n\x1b[31mred\x07\n")

    answer = refit("check", "--explain", "--tags-from", file, "--allow", "major", "nginx:1.27-alpine")

    assert answer.code == 0
    assert "\x1b" not in answer.out
    assert "\x07" not in answer.out
