"""What registries say in their headers, the odd ways included."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.registry.headers import Challenge, challenges, next_link, retry_after

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
REALM = "https://auth.example/token"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param([], [], id="none at all"),
        pytest.param(['Basic realm="r"'], [("basic", {"realm": "r"})], id="basic"),
        pytest.param(["Basic"], [("basic", {})], id="a scheme without parameters"),
        pytest.param(
            [f'Bearer realm="{REALM}",service="s",scope="repository:a/b:pull,push"'],
            [("bearer", {"realm": REALM, "service": "s", "scope": "repository:a/b:pull,push"})],
            id="bearer, with a comma inside quotes",
        ),
        pytest.param(
            [f'Bearer realm="{REALM}", service=s, Basic realm="x"'],
            [("bearer", {"realm": REALM, "service": "s"}), ("basic", {"realm": "x"})],
            id="two schemes in one header, as Forgejo sends them",
        ),
        pytest.param(
            ['Basic realm="x"', f'bearer REALM="{REALM}"'],
            [("basic", {"realm": "x"}), ("bearer", {"realm": REALM})],
            id="two headers, any case",
        ),
        pytest.param(
            ['Basic, Bearer realm = "a\\"b"'],
            [("basic", {}), ("bearer", {"realm": 'a"b'})],
            id="spaces around the sign, an escaped quote",
        ),
        pytest.param(['Bearer realm="open'], [("bearer", {"realm": ""})], id="a quote that never ends"),
        pytest.param(["\x00\x01"], [], id="garbage"),
        pytest.param([f'Bearer realm="{REALM}",realm="https://evil"'], [("bearer", {"realm": REALM})],
                     id="the first of two realms counts"),
    ],
)  # fmt: skip
def test_challenges_are_read_as_rfc_9110_writes_them(
    headers: list[str], expected: list[tuple[str, dict[str, str]]]
) -> None:
    assert challenges(headers) == tuple(Challenge(scheme, given) for scheme, given in expected)


@pytest.mark.parametrize(
    ("header", "body", "seconds"),
    [
        pytest.param("30", b"", 30.0, id="seconds"),
        pytest.param("0.25", b"", 0.25, id="a fraction"),
        pytest.param(" 7 ", b"", 7.0, id="spaces"),
        pytest.param("331µs", b"", 331e-6, id="microseconds"),
        pytest.param("1m30s", b"", 90.0, id="a Go duration"),
        pytest.param("250ms", b"", 0.25, id="milliseconds"),
        pytest.param("Tue, 24 Nov 2026 08:01:00 GMT", b"", 60.0, id="a date"),
        pytest.param("Tue, 24 Nov 2026 07:00:00 GMT", b"", 0.0, id="a date that has passed"),
        pytest.param("soon", b"", None, id="a word"),
        pytest.param("-5", b"", None, id="a negative number"),
        pytest.param("", b"", None, id="empty"),
        pytest.param("9" * 40, b"", None, id="a number without end"),
        pytest.param(None, b"retry-after: 331\xc2\xb5s, allowed: 44000/minute", 331e-6, id="in GHCR's body"),
        pytest.param(None, b'{"message":"slow down","retry_after": 12}', 12.0, id="in a JSON body"),
        pytest.param(None, b"try again later", None, id="a body that says nothing"),
        pytest.param("soon", b"Retry-After: 3s", 3.0, id="a useless header and a useful body"),
    ],
)
def test_the_wait_a_registry_asks_for_is_read_in_all_its_forms(
    header: str | None, body: bytes, seconds: float | None
) -> None:
    found = retry_after(header, body, NOW)
    assert found == (pytest.approx(seconds) if seconds is not None else None)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param('</v2/a/tags/list?n=2&last=b>; rel="next"', "/v2/a/tags/list?n=2&last=b", id="usual"),
        pytest.param("</x>; rel=next", "/x", id="without quotes"),
        pytest.param('</a>; rel="prev", </b>; title="t"; rel="next"', "/b", id="the second of two"),
        pytest.param('</a>; rel="last next"', "/a", id="two relations"),
        pytest.param('</a>; rel="nextish"', None, id="another relation"),
        pytest.param("", None, id="none"),
        pytest.param("</a", None, id="cut off"),
    ],
)
def test_the_next_page_is_the_link_with_that_relation(header: str, expected: str | None) -> None:
    assert next_link(header) == expected
