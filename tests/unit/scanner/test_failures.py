"""Why a scan failed, in words."""

from __future__ import annotations

import pytest

from bot.errors import ProcessFailed
from bot.scanner.failures import explain

# What Trivy 0.74.0 writes → what a person reads.
CASES = {
    "disk": ("write /tmp/fanal-1/layer: no space left on device", "the disk is full"),
    "gone": ("GET http://r/v2/x/manifests/1: MANIFEST_UNKNOWN: manifest unknown", "has no such image"),
    "login": ("GET https://r/v2/x/manifests/1: UNAUTHORIZED: authentication required", "asks for a login"),
    "rate": ("TOOMANYREQUESTS: You have reached your pull rate limit", "rate limit is reached"),
    "engine": ("Error response from daemon: no such image: x", "the engine has no such image"),
    "socket": ("failed to connect to the docker API at unix:///nowhere", "the engine cannot be reached"),
    "java": ("The first run cannot skip downloading Java DB", "no Java database"),
    "database": ("--skip-db-update cannot be specified on the first run", "database cannot be read"),
    "lock": ("unable to open cache DB: cache may be in use by another process", "cache is locked"),
    "slow": ("scan failed: context deadline exceeded", "it ran out of time (600 s)"),
    "network": ("dial tcp 127.0.0.1:1: connect: connection refused", "the registry cannot be reached"),
    "silence": ("dial tcp 192.0.2.1:443: i/o timeout", "the registry cannot be reached"),
    "tls": ("Get https://r/v2/: net/http: TLS handshake timeout", "the registry cannot be reached"),
    "name": (f"docker.io/acme/timeout@sha256:{64 * 'a'}: the moon is in the way", "the moon is in the way"),
    "layer": ("failed to extract: unexpected EOF", "a layer of the image cannot be read"),
}


@pytest.mark.parametrize(("said", "meaning"), CASES.values(), ids=CASES.keys())
def test_a_known_failure_is_explained_with_a_way_out(said: str, meaning: str) -> None:
    error = explain(ProcessFailed("trivy ended with exit code 1", output=f"FATAL\t{said}"), "debian:12", 600)
    assert error.message.startswith("Trivy could not scan debian:12: ")
    assert meaning in error.message
    assert error.hint


def test_an_unknown_failure_quotes_the_scanner() -> None:
    output = "INFO starting\n2026 FATAL Fatal error: the moon is in the way\nhint: none"
    error = explain(ProcessFailed("trivy ended with exit code 1", output=output), "debian:12", 600)
    assert "the moon is in the way" in error.message
    assert "refit doctor" in error.hint


def test_every_way_that_was_tried_is_told() -> None:
    output = "FATAL archive image: 2 errors occurred:\n\t* no manifest.json\n\t* no index.json\n\n\n"
    error = explain(ProcessFailed("trivy ended with exit code 1", output=output), "image.tar", 600)
    assert error.message.endswith("2 errors occurred: * no manifest.json * no index.json")
