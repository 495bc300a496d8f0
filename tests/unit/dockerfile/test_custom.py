from __future__ import annotations

import pytest

from bot.dockerfile.custom import read_custom, rule
from bot.dockerfile.edit import apply
from bot.errors import ConfigError

HELM = rule(["charts/**/values.yaml"], r"repository: (?P<repository>\S+)\s+tag: \"?(?P<tag>[\w.-]+)")


def test_a_whole_reference_is_found_and_edited() -> None:
    data = "# größer\nIMAGE := nginx:1.27 # x\n".encode()
    (use,) = read_custom("Makefile", data, [rule(["Makefile"], r"^IMAGE := (?P<image>\S+)")])

    assert use.reference
    assert (use.line, use.kind.value, use.text) == (2, "custom", "nginx:1.27")
    assert apply(data, use, use.reference.with_tag("1.29")) == "# größer\nIMAGE := nginx:1.29 # x\n".encode()


def test_a_reference_in_parts_is_edited_at_its_part() -> None:
    data = b'image:\n  repository: nginx\n  tag: "1.27"\n'
    (use,) = read_custom("charts/web/values.yaml", data, [HELM])

    assert use.reference
    assert (use.line, use.text) == (3, "nginx:1.27")
    assert apply(data, use, use.reference.with_tag("1.29")) == data.replace(b"1.27", b"1.29")


def test_bytes_that_are_no_text_are_passed_over() -> None:
    data = b"\xff\xfe\n  repository: nginx\n  tag: 1.27\n"
    (use,) = read_custom("charts/web/values.yaml", data, [HELM])

    assert [data[s.start : s.end] for s in use.segments if s.editable] == [b"nginx", b"1.27"]


def test_files_that_the_globs_do_not_match_are_passed_over() -> None:
    assert read_custom("values.yaml", b"repository: nginx\ntag: 1\n", [HELM]) == ()


def test_r30_an_expression_that_takes_too_long_is_a_skipped_use() -> None:
    slow = rule(["*"], r"(?P<image>(?:a|a|aa)+)+\d")

    (use,) = read_custom("x", b"a" * 5000, [slow], seconds=0.1)

    assert use.reference is None
    assert "longer than 0.1 s" in (use.skipped or "")


@pytest.mark.parametrize(
    ("pattern", "why"),
    [("(", "no regular expression"), ("(?P<tag>x)", "no group `image` or `repository`")],
)
def test_a_pattern_that_cannot_work_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        rule(["*"], pattern)
