"""Reading a `.env`, by Docker's syntax."""

from __future__ import annotations

import pytest

from bot.dockerfile.dotenv import read_dotenv


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("TAG=1.27", "1.27"),
        ("export TAG = 1.27  ", "1.27"),
        ("TAG: 1.27", "1.27"),
        ("TAG='1.27' # why", "1.27"),
        ('TAG="1.27"', "1.27"),
        ("TAG=1.27 # why", "1.27"),
        ("TAG=1#27", "1#27"),
        ("TAG=# why", ""),
        ("TAG=", ""),
        ("TAG=1\r\nTAG=2\r\n", "2"),
        ("\ufeffTAG=1", "1"),
        ("TAG=${OTHER}", "${OTHER}"),
        ("TAG='open", "'open"),
        ("# TAG=1", None),
        ("TAG", None),
        ("1TAG=1", None),
    ],
)
def test_a_line_gives_the_value_that_compose_reads_in_it(line: str, value: str | None) -> None:
    assert read_dotenv(line.encode()).get("TAG") == value


@pytest.mark.timeout(120)  # in time that grows faster it would take hours
def test_any_bytes_are_read_in_time_that_grows_with_them() -> None:
    for data in (b" " * 10**6, b"A" * 10**6, b"A=" + b" " * 10**6, b"export " * 10**5, b"\xff\x00=" * 10**5):
        read_dotenv(data)
