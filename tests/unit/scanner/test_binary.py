"""Which Trivy may run."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pytest

from bot.errors import ScanError, ScannerRefused
from bot.scanner.binary import check_binary, file_digest, find_binary


def binary(folder: Path, version: str, flag: str = "pkg/version/app.ver=") -> Path:
    path = folder / "trivy"
    path.write_bytes(
        b"\x7fELF...-X 'github.com/aquasecurity/trivy/" + flag.encode() + version.encode() + b"'..."
    )
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("version", ["0.69.4", "0.69.5", "0.69.6"])
def test_a_hijacked_version_is_refused_by_its_bytes_without_being_run(tmp_path: Path, version: str) -> None:
    with pytest.raises(ScannerRefused) as raised:
        check_binary(binary(tmp_path, version))
    assert (
        f"Trivy {version}, a hijacked release (GHSA-69fq-xp46-6x23, CVE-2026-33634)" in raised.value.message
    )
    assert "install 0.74.0" in raised.value.hint


@pytest.mark.parametrize(
    ("version", "said"),
    [("0.57.1", "at least 0.58.0 is needed"), ("0.9.0", "at least 0.58.0 is needed")],
)
def test_a_version_that_is_too_old_is_refused(tmp_path: Path, version: str, said: str) -> None:
    with pytest.raises(ScannerRefused, match=said):
        check_binary(binary(tmp_path, version))


@pytest.mark.parametrize("content", [b"", b'#!/bin/sh\nexec /opt/trivy "$@"\n'], ids=["empty", "a wrapper"])
def test_a_file_that_does_not_say_its_version_in_its_bytes_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "trivy"
    path.write_bytes(content)
    with pytest.raises(ScannerRefused) as raised:
        check_binary(path)
    assert "Install Trivy" in raised.value.hint


def test_a_build_that_nobody_vouches_for_is_refused_and_the_way_to_vouch_is_told(tmp_path: Path) -> None:
    path = binary(tmp_path, "0.74.0")
    with pytest.raises(ScannerRefused, match="no build of it that Refit knows") as raised:
        check_binary(path)
    assert f"scanner.sha256: {file_digest(path)}" in raised.value.hint


def test_a_build_that_the_operator_vouches_for_runs(tmp_path: Path) -> None:
    path = binary(tmp_path, "0.75.0")
    digest = file_digest(path)
    assert check_binary(path, digest).identity == f"trivy 0.75.0, build {digest[:8]}"


def test_the_wheels_build_is_upstreams_own() -> None:
    assert check_binary(find_binary(None)).identity == "trivy 0.74.0"


def test_every_known_build_names_its_public_sources() -> None:
    entries = json.loads(resources.files("bot.scanner").joinpath("binaries.json").read_text())["binaries"]
    assert {entry["platform"] for entry in entries} == {"linux/amd64", "linux/arm64"}
    for entry in entries:
        assert all(source.startswith("https://github.com/") for source in entry["sources"])
        assert len(entry["sources"]) >= 2


def test_nobody_can_vouch_for_a_hijacked_version(tmp_path: Path) -> None:
    path = binary(tmp_path, "0.69.4")
    with pytest.raises(ScannerRefused, match="hijacked"):
        check_binary(path, file_digest(path))


def test_a_binary_that_is_replaced_is_checked_again(tmp_path: Path) -> None:
    path = binary(tmp_path, "0.74.0")
    vouched = file_digest(path)
    assert check_binary(path, vouched).version == "0.74.0"
    path.unlink()
    with pytest.raises(ScannerRefused):
        check_binary(binary(tmp_path, "0.74.0-replaced"), vouched)


def test_the_configured_path_comes_first_and_must_be_there(tmp_path: Path) -> None:
    path = binary(tmp_path, "0.74.0")
    assert find_binary(path) == path
    with pytest.raises(ScanError, match="there is no file") as raised:
        find_binary(tmp_path / "missing")
    assert "scanner.path" in raised.value.hint


def test_a_trivy_on_the_search_path_comes_before_the_wheel(tmp_path: Path) -> None:
    assert find_binary(None, str(tmp_path)) != tmp_path / "trivy"
    binary(tmp_path, "0.74.0")
    assert find_binary(None, str(tmp_path)) == tmp_path / "trivy"
