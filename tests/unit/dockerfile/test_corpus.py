from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.dockerfile.compose import read_compose
from bot.dockerfile.edit import apply
from bot.dockerfile.uses import read
from bot.dockerfile.verify import sharing, verify
from bot.errors import EditError
from bot.model.use import Use
from tests.unit.dockerfile.corpus import COMPOSE, DOCKERFILES, Case

DIGEST = "sha256:" + "e" * 64
Read = Callable[[Case], tuple[Use, ...]]


def read_dockerfile(case: Case) -> tuple[Use, ...]:
    return read("Dockerfile", case.data, args=case.args)


def read_compose_file(case: Case) -> tuple[Use, ...]:
    return read_compose("compose.yaml", case.data, case.args)


both = pytest.mark.parametrize(
    ("case", "reader"),
    [(case, read_dockerfile) for case in DOCKERFILES] + [(case, read_compose_file) for case in COMPOSE],
    ids=[case.name for case in DOCKERFILES + COMPOSE],
)


@both
def test_every_image_is_found_where_it_stands(case: Case, reader: Read) -> None:
    found = reader(case)

    assert [(use.line, use.kind.value, use.text) for use in found] == [
        (use.line, use.kind, use.text) for use in case.uses
    ]


@pytest.mark.parametrize("case", DOCKERFILES, ids=[case.name for case in DOCKERFILES])
def test_a_glance_sees_what_the_full_grammar_sees(case: Case) -> None:
    full = read("Dockerfile", case.data, args=case.args, at_a_glance=False)

    assert read_dockerfile(case) == full


@both
def test_what_is_skipped_says_why(case: Case, reader: Read) -> None:
    for use, wanted in zip(reader(case), case.uses, strict=True):
        assert (use.skipped is None) == (wanted.reason is None), use.skipped
        assert (wanted.reason or "") in (use.skipped or "")
        assert (use.reference is None) == (use.skipped is not None)


@both
def test_the_platform_and_the_comments_are_read(case: Case, reader: Read) -> None:
    for use, wanted in zip(reader(case), case.uses, strict=True):
        assert use.platform == wanted.platform
        assert sorted(use.ignore) == sorted(wanted.pairs)


@both
def test_segments_spell_the_text_and_stand_in_the_file(case: Case, reader: Read) -> None:
    data = case.data
    for use in reader(case):
        if use.reference:
            assert "".join(segment.text for segment in use.segments) == use.text
        for segment in use.segments:
            if segment.editable:
                assert data[segment.start : segment.end].decode() == segment.text
                assert data.count(b"\n", 0, segment.start) + 1 == segment.line


@both
def test_a_new_digest_changes_one_use_and_nothing_else(case: Case, reader: Read) -> None:
    data = case.data
    for use in reader(case):
        if use.reference:
            to = use.reference.with_digest(DIGEST)
            after = apply(data, use, to)

            if not sharing(reader(case), use):
                verify(use.file, data, after, use, to, case.args)
            assert removed(data, after) in {b"", *pieces(use.reference.digest)}


@both
def test_a_new_tag_is_proved_or_refused_for_a_reason(case: Case, reader: Read) -> None:
    for use in reader(case):
        if use.reference:
            refusal = refused(case, use, new_tag(use.reference.tag or "1"))
            # Several ARGs hold the tag, or another use shares one: never a wrong edit.
            assert "cannot be divided" in refusal or "nobody asked for" in refusal or not refusal


def refused(case: Case, use: Use, tag: str) -> str:
    assert use.reference
    to = use.reference.with_tag(tag)
    try:
        verify(use.file, case.data, apply(case.data, use, to), use, to, case.args)
    except EditError as error:
        return error.message
    return ""


def removed(before: bytes, after: bytes) -> bytes:
    """The bytes of `before` between what the two files begin and end with alike."""
    size, start = min(len(before), len(after)), 0
    while start < size and before[start] == after[start]:
        start += 1
    end = 0
    while end < size - start and before[-1 - end] == after[-1 - end]:
        end += 1
    return before[start : len(before) - end]


def pieces(digest: str | None) -> set[bytes]:
    text = (digest or "").encode()
    return {text[start:end] for start in range(len(text) + 1) for end in range(start, len(text) + 1)}


def new_tag(tag: str) -> str:
    return tag.replace("1", "4") if "1" in tag else tag + "4"


def test_the_corpus_has_three_hundred_dockerfiles() -> None:
    assert len(DOCKERFILES) >= 300
    assert len({case.name for case in DOCKERFILES}) == len(DOCKERFILES)
