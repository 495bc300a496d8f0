"""Trivy's command lines. Pure.

Every file it would look for where it stands is named, so that none is found by chance, and nothing is
asked of the network but the image itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.errors import ScanError
from bot.model.artifact import ArtifactKind
from bot.model.reference import Reference
from bot.ports import ScanRequest
from bot.scanner.settings import ScannerSettings
from bot.scanner.slots import Slot

# The whole host: `127.example.com` is somebody else's.
_LOOPBACK = re.compile(r"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?=[:/]|\Z)")
_FORMATS = {ArtifactKind.SBOM: "cyclonedx", ArtifactKind.SARIF: "sarif"}


@dataclass(frozen=True, slots=True)
class Source:
    """Where an image is read.

    Attributes:
        words: What names it.
        host: The registry that is asked, as its login is kept under; empty for none.
    """

    words: tuple[str, ...]
    host: str = ""


def image(settings: ScannerSettings, request: ScanRequest, place: Slot, source: Source) -> list[str]:
    """Scan an image, all packages listed."""
    scanners = "vuln,secret" if request.exposure else "vuln"
    exposure = ["--image-config-scanners", "misconfig,secret"] if request.exposure else []
    return [
        *("image", *_closed_in(place), "--skip-java-db-update", "--skip-check-update"),
        *("--secret-config", str(place.secret_rules), "--module-dir", str(place.empty)),
        *("--scanners", scanners, *exposure),
        *_reported(settings, place),
        *source.words,
    ]


def sbom(settings: ScannerSettings, place: Slot) -> list[str]:
    """Scan the SBOM in the slot."""
    return ["sbom", *_closed_in(place), *_reported(settings, place), "--", str(place.sbom)]


def convert(settings: ScannerSettings, kind: ArtifactKind, place: Slot) -> list[str]:
    """Turn the report in the slot into an artifact; it is not scanned again."""
    return [
        *("convert", "--config", str(place.nothing), "--cache-dir", str(place.cache), "--quiet"),
        *("--ignorefile", _ignore_file(settings, place)),
        *("--format", _FORMATS[kind], "--output", str(place.artifact), "--", str(place.report)),
    ]


def download(settings: ScannerSettings, what: str, repository: str, place: Slot, cache: str) -> list[str]:
    """Bring a database in `cache` up to date; it does nothing while the one there is recent.

    Args:
        settings: How Trivy is run.
        what: `db` or `java-db`.
        repository: Its OCI repository; empty leaves it to Trivy's own list.
        place: Where it runs.
        cache: Folder that holds the database.
    """
    flag = "--db-repository" if what == "db" else "--java-db-repository"
    return [
        *("image", f"--download-{what}-only", "--no-progress", "--config", str(place.nothing)),
        *("--cache-dir", cache, "--skip-version-check", "--disable-telemetry"),
        *(["--insecure"] if host_of(repository) in settings.insecure else []),
        *([flag, repository] if repository else []),
    ]


def host_of(repository: str) -> str:
    """The registry of an OCI repository; empty for none."""
    try:
        return Reference.parse(repository).registry
    except ValueError:
        return ""


def _closed_in(place: Slot) -> Iterator[str]:
    yield from ("--config", str(place.nothing), "--cache-dir", str(place.cache))
    yield from ("--skip-db-update", "--offline-scan", "--skip-vex-repo-update")
    yield from ("--skip-version-check", "--disable-telemetry")


def _reported(settings: ScannerSettings, place: Slot) -> Iterator[str]:
    yield from ("--list-all-pkgs", "--show-suppressed", "--ignorefile", _ignore_file(settings, place))
    yield from ("--vuln-severity-source", ",".join(settings.severity_sources))
    for path in settings.vex:
        yield from ("--vex", str(path.resolve()))
    yield from ("--timeout", f"{settings.seconds:.0f}s", "--format", "json", "--output", str(place.report))


def _ignore_file(settings: ScannerSettings, place: Slot) -> str:
    return str(settings.ignore_file.resolve() if settings.ignore_file else place.nothing)


def sources(settings: ScannerSettings, request: ScanRequest) -> list[Source]:
    """Where an image may be read, in the order in which it is tried: the mirrors, then the registry itself.

    Raises:
        ScanError: Its name is none.
    """
    if request.archive is not None:
        return [Source(("--input", str(request.archive)))]
    if not request.remote:
        return [Source(("--image-src", "docker", "--", request.subject))]
    try:
        reference = Reference.parse(request.subject)
    except ValueError as error:
        raise ScanError(f"cannot scan {request.subject[:200]!r}: {error}") from error
    places = (*settings.mirrors.get(reference.registry, ()), reference.registry)
    return [_remote(settings, request, reference, place) for place in places]


def _remote(settings: ScannerSettings, request: ScanRequest, reference: Reference, place: str) -> Source:
    """Trivy knows no mirrors, so the mirror takes the registry's place in the name."""
    scheme, _, prefix = place.rstrip("/").rpartition("://")
    host = prefix.partition("/")[0]
    insecure = scheme == "http" or host in settings.insecure or _loopback(host)
    name = reference.canonical.replace(reference.registry, prefix, 1)
    flags = ["--insecure"] if insecure else []
    return Source(("--image-src", "remote", "--platform", str(request.platform), *flags, "--", name), host)


def _loopback(host: str) -> bool:
    """As Docker decides it: an address of the machine itself, or its name, with or without a port."""
    return _LOOPBACK.match(host) is not None
