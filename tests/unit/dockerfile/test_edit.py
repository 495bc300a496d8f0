from __future__ import annotations

import pytest

from bot.dockerfile.edit import apply, apply_all
from bot.dockerfile.uses import read
from bot.dockerfile.verify import sharing, verify, verify_all
from bot.errors import EditError
from bot.model.use import Use

OLD = "sha256:" + "0" * 64
NEW = "sha256:" + "f" * 64


def images(data: bytes) -> list[Use]:
    return [use for use in read("Dockerfile", data) if use.reference]


def edited(data: bytes, tag: str | None, digest: str | None) -> bytes:
    """Move the first image of a file to another tag and digest, with proof."""
    use = images(data)[0]
    assert use.reference
    to = use.reference.with_digest(digest)
    to = to if tag is None else use.reference.with_tag(tag).with_digest(digest)
    after = apply(data, use, to)
    verify("Dockerfile", data, after, use, to)
    return after


@pytest.mark.parametrize(
    ("before", "tag", "digest", "after"),
    [
        ("FROM debian:12\n", "13", None, "FROM debian:13\n"),
        ("FROM debian:12\n", None, NEW, f"FROM debian:12@{NEW}\n"),
        ("FROM debian\n", None, NEW, f"FROM debian@{NEW}\n"),
        ("FROM debian\n", "13", NEW, f"FROM debian:13@{NEW}\n"),
        (f"FROM debian:12@{OLD}\n", "13", NEW, f"FROM debian:13@{NEW}\n"),
        (f"FROM debian:12@{OLD}\n", "13", None, "FROM debian:13\n"),
        (f"FROM debian@{OLD}\n", None, NEW, f"FROM debian@{NEW}\n"),
        ("from\tdebian:12\tas x \r\n", "13", None, "from\tdebian:13\tas x \r\n"),
        ('FROM "debian:12"\n', None, NEW, f'FROM "debian:12@{NEW}"\n'),
        ("FROM deb\\\nian:1\\\n2\n", "13", None, "FROM deb\\\nian:1\\\n3\n"),
        ("ARG T=12\nFROM debian:$T\n", "13", None, "ARG T=13\nFROM debian:$T\n"),
        ("ARG T=12\nFROM debian:$T-slim\n", "13-slim", None, "ARG T=13\nFROM debian:$T-slim\n"),
        ("ARG T=12\nFROM debian:$T-slim\n", "12-slim", NEW, f"ARG T=12\nFROM debian:$T-slim@{NEW}\n"),
        ("ARG T=12\nFROM debian:$T\n", "12", NEW, f"ARG T=12@{NEW}\nFROM debian:$T\n"),
        (
            "ARG T=12\nFROM debian:$T\nARG T\nRUN echo $T\n",
            "12",
            NEW,
            f"ARG T=12\nFROM debian:$T@{NEW}\nARG T\nRUN echo $T\n",
        ),
        ("ARG B=debian:12\nFROM $B\n", None, NEW, f"ARG B=debian:12@{NEW}\nFROM $B\n"),
        (
            f"ARG T=12\nARG D={OLD}\nFROM debian:$T@$D\n",
            "13",
            NEW,
            f"ARG T=13\nARG D={NEW}\nFROM debian:$T@$D\n",
        ),
        (f"ARG T=1\nARG D=@{OLD}\nFROM a/b:$T$D\n", "2", NEW, f"ARG T=2\nARG D=@{NEW}\nFROM a/b:$T$D\n"),
        ("ARG A=1\nARG B=27\nFROM nginx:$A.$B\n", "2.31", None, "ARG A=2\nARG B=31\nFROM nginx:$A.$B\n"),
        (
            "ARG C=12.2.0\nARG O=ubuntu22.04\nFROM nvidia/cuda:$C-devel-$O\n",
            "12.6.1-devel-ubuntu24.04",
            None,
            "ARG C=12.6.1\nARG O=ubuntu24.04\nFROM nvidia/cuda:$C-devel-$O\n",
        ),
        ("FROM ${B:-debian:12}\n", "13", NEW, f"FROM ${{B:-debian:13@{NEW}}}\n"),
        ("ARG V=1\nFROM a/b:$V-$V\n", "2-2", None, "ARG V=2\nFROM a/b:$V-$V\n"),
        ("ARG B=a/b:1\nFROM $B AS a\nFROM $B AS b\n", "2", None, "ARG B=a/b:2\nFROM $B AS a\nFROM $B AS b\n"),
        ("# syntax=a/b:1\nFROM scratch\n", "1.9", None, "# syntax=a/b:1.9\nFROM scratch\n"),
    ],
)  # fmt: skip
def test_an_edit_changes_the_reference_where_it_stands(
    before: str, tag: str | None, digest: str | None, after: str
) -> None:
    assert edited(before.encode(), tag, digest).decode() == after


@pytest.mark.parametrize(
    ("before", "tag", "why"),
    [
        ("ARG A=1\nARG B=27\nFROM nginx:$A$B\n", "299", "cannot be divided"),
        ("ARG V=1\nFROM a/b:$V-$V\n", "2-3", "cannot become"),
        ("ARG V=1\nFROM a/b:$V-$V\n", "1-3", "cannot become"),
        ("ARG V=1\nFROM a/b:$V\nFROM c/d:$V\n", "2", "nobody asked for"),
        ("ARG V=build\nFROM a/b:$V AS build\nFROM $V\n", "x", "nobody asked for"),
        ("FROM a/b:1\n", "2 AS x", "cannot become|instead of|would change|make"),
    ],
)
def test_an_edit_that_would_do_more_is_refused(before: str, tag: str, why: str) -> None:
    with pytest.raises(EditError, match=why):
        edited(before.encode(), tag, None)


def test_an_argument_that_suits_all_its_uses_is_changed_once() -> None:
    data = b"ARG V=12\nFROM debian:$V AS a\nFROM debian:$V-slim AS b\n"
    one, other = images(data)
    assert one.reference
    assert other.reference
    changes = [(one, one.reference.with_tag("13")), (other, other.reference.with_tag("13-slim"))]

    after = apply_all(data, changes)

    assert after == b"ARG V=13\nFROM debian:$V AS a\nFROM debian:$V-slim AS b\n"
    assert verify_all(lambda file: read("Dockerfile", file), data, after, changes) == ()
    assert sharing(images(data), one) == (other,)


def test_an_argument_that_suits_only_some_is_refused() -> None:
    data = b"ARG V=12\nFROM debian:$V AS a\nFROM debian:$V-slim AS b\n"
    one, other = images(data)
    assert one.reference
    assert other.reference

    with pytest.raises(EditError, match="different references"):
        apply_all(data, [(one, one.reference.with_tag("13")), (other, other.reference.with_tag("14-slim"))])


def test_the_uses_that_move_along_are_named() -> None:
    data = b"ARG B=debian:12\nFROM $B AS a\nFROM $B AS b\n"
    one, other = images(data)
    assert one.reference
    to = one.reference.with_tag("13")

    assert verify("Dockerfile", data, apply(data, one, to), one, to) == (other,)


@pytest.mark.parametrize(
    "after",
    [b"FROM debian:13\nFROM alpine:4\n", b"FROM debian:14\nFROM alpine:3\n", b"FROM debian:13\n", b""],
    ids=["another use changed", "it became something else", "a use went away", "nothing is left"],
)
def test_a_wrong_result_does_not_pass_the_proof(after: bytes) -> None:
    data = b"FROM debian:12\nFROM alpine:3\n"
    use = images(data)[0]
    assert use.reference

    with pytest.raises(EditError):
        verify("Dockerfile", data, after, use, use.reference.with_tag("13"))


def test_a_skipped_use_is_not_edited() -> None:
    (use,) = read("Dockerfile", b"FROM scratch\n")
    (image,) = images(b"FROM debian:12\n")
    assert image.reference

    with pytest.raises(EditError, match="skipped"):
        apply(b"FROM scratch\n", use, image.reference)
