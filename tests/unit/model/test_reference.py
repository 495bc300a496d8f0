from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model.reference import ConfigDigest, Digest, IndexDigest, ManifestDigest, Reference

D = "sha256:" + "ab" * 32
LONG = "sha512:" + "cd" * 64


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag", "digest"),
    [
        ("debian", "docker.io", "library/debian", None, None),
        ("debian:12", "docker.io", "library/debian", "12", None),
        (f"debian@{D}", "docker.io", "library/debian", None, D),
        (f"debian:12@{D}", "docker.io", "library/debian", "12", D),
        (f"debian:12@{LONG}", "docker.io", "library/debian", "12", LONG),
        ("library/debian:12", "docker.io", "library/debian", "12", None),
        ("bitnami/redis:7", "docker.io", "bitnami/redis", "7", None),
        ("docker.io/debian:12", "docker.io", "library/debian", "12", None),
        ("docker.io/library/debian:12", "docker.io", "library/debian", "12", None),
        ("index.docker.io/debian:12", "docker.io", "library/debian", "12", None),
        ("registry-1.docker.io/library/debian:12", "docker.io", "library/debian", "12", None),
        # A host of one's own gets no library/ (watchtower#1113).
        ("registry.example.com/debian:12", "registry.example.com", "debian", "12", None),
        ("localhost/debian", "localhost", "debian", None, None),
        ("localhost:5000/debian:12", "localhost:5000", "debian", "12", None),
        ("reg:5000/debian", "reg:5000", "debian", None, None),
        (f"reg:5000/a/b:1@{D}", "reg:5000", "a/b", "1", D),
        ("127.0.0.1:5000/a", "127.0.0.1:5000", "a", None, None),
        ("[::1]:5000/a/b:1", "[::1]:5000", "a/b", "1", None),
        ("REG/a:1", "REG", "a", "1", None),
        # A port and a tag look alike: without a slash after it, it is a tag.
        ("reg:5000", "docker.io", "library/reg", "5000", None),
        ("ghcr.io/owner/team/app:v1.2.3-rc.1", "ghcr.io", "owner/team/app", "v1.2.3-rc.1", None),
        ("a__b/c--d/e.f:_1.-", "docker.io", "a__b/c--d/e.f", "_1.-", None),
        ("127.0.0.1/a", "127.0.0.1", "a", None, None),
    ],
)
def test_r11_a_reference_is_read_as_docker_reads_it(
    text: str, registry: str, repository: str, tag: str | None, digest: str | None
) -> None:
    found = Reference.parse(text)

    assert (found.registry, found.repository, found.tag, found.digest) == (registry, repository, tag, digest)
    assert str(found) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        (" debian", "no spaces"),
        ("debian 12", "no spaces"),
        ("docker://debian:12", "no scheme"),
        ("https://ghcr.io/a/b", "no scheme"),
        ("Debian:12", "lower case"),
        ("docker.io/Debian:12", "lower case"),
        ("debian:", "not an image reference"),
        ("debian@", "not an image reference"),
        (":12", "not an image reference"),
        ("/debian", "not an image reference"),
        ("debian/", "not an image reference"),
        ("a//b", "not an image reference"),
        ("debian:1:2", "not an image reference"),
        ("debian:-1", "not an image reference"),
        ("debian:" + "a" * 129, "not an image reference"),
        ("debian@sha256:abc", "not an image reference"),
        ("debian@" + D.upper().replace("SHA", "sha"), "not a sha256"),
        ("debian@md5:" + "0" * 32, "not a sha256"),
        ("a" * 300, "at most 255"),
        ("débian", "not an image reference"),
        ("debian\n", "no spaces"),
        ("debian:12\n", "no spaces"),
        (f"debian@{D}\n", "no spaces"),
        ("${base}", "not an image reference"),
        ("a" * 64 + ":" + "é", "not an image reference"),
    ],
)
def test_what_is_no_reference_says_why(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Reference.parse(text)


def test_64_hex_digits_alone_are_no_name() -> None:
    with pytest.raises(ValueError, match="hex"):
        Reference.parse("ab" * 32)


def test_spelling_does_not_make_another_image() -> None:
    assert Reference.parse("debian:12") == Reference.parse("docker.io/library/debian:12")
    assert Reference.parse("debian:12") != Reference.parse("debian:13")
    assert Reference.parse("debian:12").canonical == "docker.io/library/debian:12"
    assert Reference.parse("debian").canonical == "docker.io/library/debian:latest"
    assert Reference.parse(f"debian@{D}").canonical == f"docker.io/library/debian@{D}"


def test_a_change_keeps_the_spelling() -> None:
    pinned = Reference.parse("docker.io/debian:12").with_digest(D)

    assert str(pinned) == f"docker.io/debian:12@{D}"
    assert str(pinned.with_tag("13")) == "docker.io/debian:13"
    assert str(pinned.with_digest(None)) == "docker.io/debian:12"


def test_digests_of_different_things_are_never_equal() -> None:
    kinds: list[Digest] = [IndexDigest(D), ManifestDigest(D), ConfigDigest(D), Digest(D)]

    assert [one == other for one in kinds for other in kinds].count(True) == len(kinds)
    assert IndexDigest(D) == IndexDigest(D)
    assert Digest(D).short == "abababababab"


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ValueError):
        found = Reference.parse(text)
        again = Reference.parse(found.canonical)

        assert str(found) == text
        assert (again.registry, again.repository) == (found.registry, found.repository)
