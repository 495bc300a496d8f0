"""Where an image's bytes are, in sentences."""

from __future__ import annotations

from dataclasses import replace

from bot.model.evidence import Build, Layer, PathSize, Waste
from bot.report.weights import sentences

MB = 1_000_000
BUILD = Build(
    image="sha256:x",
    seconds=9.0,
    steps=(),
    size=100 * MB,
    layers=(
        Layer("sha256:1", 74 * MB, "ADD rootfs", base=True),
        Layer("sha256:2", 26 * MB, "RUN make", grown=(PathSize("app/x", 9 * MB), PathSize("noise", 12))),
    ),
    package_size=70 * MB,
    waste=Waste(0.98, 2 * MB, 0.1),
)


def test_shares_waste_and_growth_are_said() -> None:
    assert sentences(BUILD, repr) == (
        "The base's layers hold 74.0 MB, the Dockerfile's own 26.0 MB; OS packages own 70.0 MB of both. "
        "Wasted: 2.0 MB that later layers overwrite or remove. Grew most: '/app/x' +9.0 MB."
    )


def test_what_was_pulled_is_said_with_its_time() -> None:
    assert "Pulled: 31.4 MB in 1.2 s." in sentences(
        replace(BUILD, pull_bytes=31_400_000, pull_seconds=1.2), repr
    )


def test_what_was_not_measured_or_is_nothing_takes_no_words() -> None:
    bare = Build("sha256:x", 9.0, (), MB, (Layer("sha256:1", MB, "RUN make"),))
    assert sentences(bare, repr) == ""
