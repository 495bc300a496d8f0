"""Why a scan failed, in words a person can act on. Pure."""

from __future__ import annotations

import re
from typing import Final

from bot.errors import ProcessFailed, ScanError

# What Trivy writes (lower case) → what it means, and what to do. The first that fits counts.
_CAUSES: Final[tuple[tuple[tuple[str, ...], str, str], ...]] = (
    (
        ("no space left on device",),
        "the disk is full",
        "Free space in the state folder; a scan needs about the image's unpacked size.",
    ),
    (
        ("manifest_unknown", "manifest unknown", "name_unknown", "not_found: "),
        "the registry has no such image",
        "The digest was removed from the registry, or the platform is not there.",
    ),
    (
        ("unauthorized", "denied:", "authentication required"),
        "the registry asks for a login",
        "Log in with `docker login`, or give a login for this registry in registries:.",
    ),
    (
        ("toomanyrequests", "too many requests"),
        "the registry's rate limit is reached",
        "Log in to the registry, or run again later.",
    ),
    (
        ("no such image",),
        "the engine has no such image",
        "It was removed while the scan waited; run again.",
    ),
    (
        ("cannot connect to the docker daemon", "failed to connect to the docker api"),
        "the engine cannot be reached",
        "Start the engine, or set builder.docker_host.",
    ),
    (
        ("java db",),
        "the image holds Java archives and there is no Java database",
        "Run `trivy image --download-java-db-only` into the database folder, or allow its download.",
    ),
    (
        ("cannot be specified on the first run", "db error", "invalid database", "db corrupted"),
        "the vulnerability database cannot be read",
        "Remove the db folder of the scanner's cache and run again.",
    ),
    (
        ("cache may be in use", "unable to open cache db", "failed to open the cache"),
        "its cache is locked by another Trivy",
        "End the Trivy that uses Refit's state folder.",
    ),
    (
        (
            *("connection refused", "no such host", "i/o timeout", "handshake timeout", "awaiting headers"),
            *("tls: ", "x509: ", "server gave http response"),
        ),
        "the registry cannot be reached",
        "Check the network and the registry; one without TLS must be marked insecure.",
    ),
    (
        ("context deadline exceeded", "did not end within", "timeout"),
        "it ran out of time",
        "Raise scanner.seconds; large images need longer.",
    ),
    (
        ("cannot allocate memory", "out of memory", "signal 6", "signal 11"),
        "it needs more memory than scanner.memory allows",
        "Raise scanner.memory; large images with many packages need more.",
    ),
    (
        ("signal 9",),
        "it was killed, most likely for want of memory",
        "Give the machine more memory, or scan fewer images at a time.",
    ),
    (
        ("unexpected eof", "invalid tar header", "failed to extract", "walk error"),
        "a layer of the image cannot be read",
        "The image is damaged; pull or build it again.",
    ),
)

# An image may be called `acme/timeout`.
_NAMES: Final = re.compile(r"https?://\S+|\S*sha256:[0-9a-f]{64}\S*")


class ImageNotHad(ScanError):
    """The registry did not give the image: another that has it may."""


class JavaDatabaseMissing(ScanError):
    """The image holds Java archives, which a database of their own tells apart."""


def explain(error: ProcessFailed, subject: str, seconds: float) -> ScanError:
    """The failure of a scan of `subject`, which had `seconds`, with its cause and a hint."""
    said = _NAMES.sub(" ", f"{error.message}\n{error.output}").lower()
    for marks, cause, hint in _CAUSES:
        if any(mark in said for mark in marks):
            limit = f" ({seconds:g} s)" if "out of time" in cause else ""
            return _kind(cause)(f"Trivy could not scan {subject}: {cause}{limit}", hint=hint)
    return ScanError(
        f"Trivy could not scan {subject}: {_last_line(error)}",
        hint="Run refit doctor, and Trivy by hand on this image.",
    )


def _kind(cause: str) -> type[ScanError]:
    if "Java" in cause:
        return JavaDatabaseMissing
    return ImageNotHad if cause.startswith("the registry") else ScanError


def _last_line(error: ProcessFailed) -> str:
    lines = [line.strip() for line in error.output.splitlines() if line.strip()]
    fatal = [line for line in lines if "FATAL" in line]
    said = (fatal or lines or [error.message])[-1]
    # Where it tried several ways, each has a line of its own: `2 errors occurred:`, then `* …`.
    tried = [line for line in lines if line.startswith("* ")] if said.endswith(":") else []
    return " ".join([said[-400:], *(line[:200] for line in tried[:4])])
