"""Releases of distributions and how long they are cared for."""

from __future__ import annotations

from datetime import date

import pytest

from bot.model.reference import Reference
from bot.updates.releases import base_of, end_of_life_note

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("image", "base"),
    [
        ("debian:bookworm-slim", "Debian 12"),
        ("debian:12", "Debian 12"),
        ("debian:12.5-slim", "Debian 12"),
        ("debian:bookworm-20241111-slim", "Debian 12"),
        ("python:3.11-slim-bookworm", "Debian 12"),
        ("bitnami/redis:7.2.4-debian-12-r4", "Debian 12"),
        ("nginx:1.27-alpine3.20", "Alpine 3.20"),
        ("alpine:3.20.3", "Alpine 3.20"),
        ("ubuntu:24.04", "Ubuntu 24.04"),
        ("ubuntu:noble-20241011", "Ubuntu 24.04"),
        ("eclipse-temurin:17-jre-jammy", "Ubuntu 22.04"),
        ("nvidia/cuda:12.4.1-base-ubuntu22.04", "Ubuntu 22.04"),
        ("nginx:1.27-alpine", "None"),
        ("python:3.12", "None"),
        ("nginx", "None"),
    ],
)
def test_a_tag_tells_the_release_underneath(image: str, base: str) -> None:
    assert str(base_of(Reference.parse(image))) == base


@pytest.mark.parametrize(
    ("image", "note"),
    [
        ("debian:bullseye", "Debian 11: support ended on 2026-08-31"),
        ("debian:bookworm", "Debian 12: LTS until 2028-06-30"),
        ("debian:trixie", None),
        ("debian:forky", "Debian 14: not released yet"),
        ("ubuntu:20.04", "Ubuntu 20.04: support ended on 2025-05-29"),
        ("ubuntu:22.04", None),
        ("ubuntu:25.10", "Ubuntu 25.10: support ended on 2026-07-09"),
        ("alpine:3.21", "Alpine 3.21: support ended on 2026-11-01"),
        ("alpine:3.22", "Alpine 3.22: supported until 2027-05-01"),
        ("alpine:3.24", None),
    ],
)
def test_a_base_near_or_past_its_end_has_a_note(image: str, note: str | None) -> None:
    assert end_of_life_note(Reference.parse(image), TODAY) == note
