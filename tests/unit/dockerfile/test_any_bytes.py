"""Whatever the bytes: no crash, no endless time, and edits that change one thing only."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.dockerfile.compose import read_compose
from bot.dockerfile.edit import apply
from bot.dockerfile.uses import MAX_USES, read
from bot.dockerfile.verify import verify
from bot.errors import EditError
from bot.model.use import Use
from tests.unit.dockerfile.corpus import COMPOSE, DOCKERFILES

SIZE = 10_000_000
DIGEST = "sha256:" + "9" * 64
TOKENS = (
    b"FROM ", b"ARG ", b"COPY ", b"RUN ", b"ONBUILD ", b"--from=", b"--mount=", b"from=", b"AS ",
    b"a:1", b"debian", b"\\", b"`", b"\\\n", b"\n", b"\r\n", b"\t", b" ", b"#", b"# escape=`\n",
    b"# syntax=x/y:1\n", b"${", b"}", b"$A", b"${A:-", b"${A:+", b"${A#", b"${A%%", b"${A/", b"/",
    b"A=", b"=", b"'", b'"', b"<<EOF", b"<<-'E'", b"EOF\n", b"E", b"@sha256:" + b"0" * 64, b",", b"[",
    b"]", b"\xef\xbb\xbf", b"\xc2\xa0", b"\xff", b"\x00", b"# refit: ignore\n", b"0", b"services:",
    b"  image: ", b"build:", b"dockerfile_inline: |\n", b"&a ", b"*a", b"- ", b"{", b"<<: ", b"*",
    b"?", b":", b"$A:1", b"--platform=", b"linux/amd64 ", b"type=cache,", b"target=/x ", b"CMD ", b"ENV x ",
    b"<", b"FROM a:1 AS b\n", b"COPY --from=b x y\n", b"ARG A=1\n", b"RUN x \\\n y\n", b"\x0b", b"\x85", b"1",
)  # fmt: skip
pieces = st.lists(st.one_of(st.sampled_from(TOKENS), st.binary(max_size=4)), max_size=40).map(b"".join)


def check(data: bytes) -> None:
    for use in (*read("Dockerfile", data, args={"A": "1"}), *read("Dockerfile", data)):
        assert (use.reference is None) == (use.skipped is not None)
        for segment in use.segments:
            assert not segment.editable or 0 <= segment.start <= segment.end <= len(data)
    assert read("Dockerfile", data) == read("Dockerfile", data, at_a_glance=False)
    for use in read("Dockerfile", data):
        check_edit(data, use)


def check_edit(data: bytes, use: Use) -> None:
    if use.reference is None:
        return
    to = use.reference.with_digest(DIGEST)
    try:
        after = apply(data, use, to)
        verify(use.file, data, after, use, to)
    except EditError:
        return
    start = min(segment.start for segment in use.segments if segment.editable)
    end = max(segment.end for segment in use.segments if segment.editable)
    assert after[:start] == data[:start]
    assert after[len(after) - (len(data) - end) :] == data[end:]


@given(pieces)
@settings(max_examples=3000)
def test_any_tokens_are_read_and_edited(data: bytes) -> None:
    check(data)


@given(pieces)
@settings(max_examples=500)
def test_any_tokens_are_read_as_a_compose_file(data: bytes) -> None:
    for use in read_compose("compose.yaml", data):
        assert (use.reference is None) == (use.skipped is not None)


@given(
    st.from_regex(r"[a-z]{1,9}(/[a-z]{1,9})?", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True),
    st.sampled_from(
        ["FROM {n}:{t}\n", "ARG T={t}\nFROM {n}:$T\n", "ARG B={n}:{t}\r\nFROM ${{B}}\r\nRUN x\r\n"]
    ),
)
@settings(max_examples=500)
def test_reading_again_gives_the_new_reference(name: str, tag: str, new: str, shape: str) -> None:
    data = shape.format(n=name, t=tag).encode()
    use = next(use for use in read("Dockerfile", data) if use.reference)
    assert use.reference
    to = use.reference.with_tag(new).with_digest(DIGEST)

    again = read("Dockerfile", apply(data, use, to))

    assert [str(one.reference) for one in again] == [f"{name}:{new}@{DIGEST}"]


def mutations(count: int, seed: int) -> Iterator[bytes]:
    """Corpus files with tokens cut out, put in and doubled; the same ones for the same seed."""
    files = [case.data for case in DOCKERFILES + COMPOSE]
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    for _ in range(count):
        data = chance.choice(files)
        for _ in range(chance.randint(1, 4)):
            start = chance.randint(0, len(data))
            end = min(len(data), start + chance.choice((0, 0, 1, 3, 30)))
            data = data[:start] + chance.choice(TOKENS) + data[end:]
        yield data


def test_broken_files_are_read_and_a_glance_sees_what_the_full_grammar_sees() -> None:
    for data in mutations(5_000, seed=1):
        assert read("Dockerfile", data) == read("Dockerfile", data, at_a_glance=False), data


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_million_broken_files_are_read() -> None:
    wrong = [
        data
        for number, data in enumerate(mutations(1_000_000, seed=2))
        if len(found := read("Dockerfile", data)) > MAX_USES + 1
        or (number % 4 == 0 and found != read("Dockerfile", data, at_a_glance=False))
    ]

    assert wrong == []


@pytest.mark.parametrize(
    "unit",
    [
        b" ", b"\n", b"\r", b"\\", b"\\\n", b"\\ ", b"#", b"\xc2\xa0", b"FROM a\n", b"FROM ",
        b"RUN a \\\n  # c\n", b"RUN <<E\n", b"RUN <<E\nE\n", b"ARG A=$A$A\n", b"RUN --mount=from=a:1 ",
        b"--", b"'", b'"', b"<", b"${A:-", b"A=1 ", b"# syntax=", b"# refit: ignore\n", b"# refit: ",
        b"\x00",
    ],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("start", [b"", b"RUN ", b"FROM "], ids=["bare", "RUN", "FROM"])
@pytest.mark.long
def test_ten_megabytes_of_a_nasty_shape_are_read(start: bytes, unit: bytes) -> None:
    data = start + unit * (SIZE // len(unit))

    assert len(read("Dockerfile", data)) <= MAX_USES + 1


@pytest.mark.parametrize("unit", [b"\\\n", b"RUN <<E\n", b"${A:-", b"RUN --mount=from=a:1 \\\n"], ids=repr)
def test_a_large_file_of_a_nasty_shape_is_read(unit: bytes) -> None:
    data = b"FROM " + unit * (SIZE // 10 // len(unit))

    assert len(read("Dockerfile", data)) <= MAX_USES + 1


def test_variables_that_double_each_time_are_not_known() -> None:
    data = b"ARG A=xxxxxxxx\n" + b"ARG A=$A$A\n" * 200 + b"FROM $A\n"

    (use,) = read("Dockerfile", data)

    assert use.skipped


def test_a_file_of_very_many_images_ends_in_a_reason() -> None:
    found = read("Dockerfile", b"FROM a:1\n" * (MAX_USES + 5))

    assert len(found) == MAX_USES + 1
    assert "more than" in (found[-1].skipped or "")
