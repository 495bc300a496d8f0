"""Image references and digests, as Docker and OCI write them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final, Self

DOCKER_HUB: Final = "docker.io"
_HUB_ALIASES: Final = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})

_HUB_LOGIN: Final = "https://index.docker.io/v1/"

# The grammar of github.com/distribution/reference (regexp.go), in its order.
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])"
_REGISTRY = rf"(?:{_HOST}(?:\.{_HOST})*|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?"
_REFERENCE: Final = re.compile(
    rf"(?P<name>(?:(?P<registry>{_REGISTRY})/)?(?P<path>{_COMPONENT}(?:/{_COMPONENT})*))"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?"
)
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
# Docker takes a bare name of 64 hex digits for an image id, and refuses it as a name.
_IMAGE_ID: Final = re.compile(r"[0-9a-f]{64}")
_MAX_NAME: Final = 255


@dataclass(frozen=True, slots=True)
class Digest:
    """A content digest, `algorithm:hex` (OCI image specification, descriptor.md).

    Its subclasses say what the digested content is. Digests of different kinds are never
    equal, even with the same text: comparing an index digest with a platform's manifest
    digest is the classic mistake of update bots.

    Raises:
        ValueError: The text is no sha256 or sha512 digest.
    """

    value: str

    def __post_init__(self) -> None:
        if not _DIGEST.fullmatch(self.value):
            msg = f"not a sha256 or sha512 digest: {self.value[:100]!r}"
            raise ValueError(msg)

    def __str__(self) -> str:
        return self.value

    @property
    def short(self) -> str:
        """The first 12 hex digits, as people quote digests."""
        return self.value.partition(":")[2][:12]


@dataclass(frozen=True, slots=True)
class IndexDigest(Digest):
    """The digest of an image index (Docker: manifest list)."""


@dataclass(frozen=True, slots=True)
class ManifestDigest(Digest):
    """The digest of one platform's image manifest."""


@dataclass(frozen=True, slots=True)
class ConfigDigest(Digest):
    """The digest of an image config (Docker: image id)."""


@dataclass(frozen=True, slots=True)
class Reference:
    """An image reference, `registry/repository:tag@digest`.

    Attributes:
        registry: Normalised registry host, with its port where there is one: `docker.io`.
        repository: Normalised repository: `library/debian`.
        tag: The tag, or None where only a digest is given; `latest` is never assumed here.
        digest: What the reference is pinned to, or None.
        name: The name as it was written (`debian`), kept so that an edit keeps its spelling.
    """

    registry: str
    repository: str
    tag: str | None
    digest: str | None
    name: str = field(compare=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a reference as Docker does, Docker Hub's defaults included.

        Raises:
            ValueError: The text is no image reference; the message says why.
        """
        found = _REFERENCE.fullmatch(text)
        if found is None:
            raise ValueError(_why_invalid(text))
        name, digest = found["name"], found["digest"]
        if _IMAGE_ID.fullmatch(name):
            raise ValueError(f"64 hex digits are an image id, not a name: {text[:100]!r}")
        if digest is not None:
            Digest(digest)
        registry, repository = _normalise(found["registry"], found["path"])
        if len(repository) > _MAX_NAME:
            raise ValueError(f"an image name has at most {_MAX_NAME} characters: {text[:40]!r}…")
        return cls(registry, repository, found["tag"], digest, name)

    @property
    def effective_tag(self) -> str | None:
        """The tag a pull would use: `latest` where neither tag nor digest is given."""
        return self.tag or (None if self.digest else "latest")

    @property
    def canonical(self) -> str:
        """The reference with nothing left to defaults, for keys and requests."""
        return _join(f"{self.registry}/{self.repository}", self.effective_tag, self.digest)

    def with_tag(self, tag: str) -> Self:
        """The same image under another tag, unpinned."""
        return replace(self, tag=tag, digest=None)

    def with_digest(self, digest: str | None) -> Self:
        """The same image pinned to `digest`, or unpinned with None."""
        return replace(self, digest=digest)

    def __str__(self) -> str:
        return _join(self.name, self.tag, self.digest)


def registry_name(host: str) -> str:
    """The name of a registry as references have it: all of Docker Hub's hosts are `docker.io`."""
    return DOCKER_HUB if host in _HUB_ALIASES else host


def login_name(registry: str) -> str:
    """The name under which Docker and its kin keep the login of a registry, for which `docker.io` is none."""
    return _HUB_LOGIN if registry == DOCKER_HUB else registry


def _join(name: str, tag: str | None, digest: str | None) -> str:
    return name + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")


def _normalise(registry: str | None, path: str) -> tuple[str, str]:
    """Apply Docker's rule of which first part is a registry, and Docker Hub's defaults."""
    if registry is None:
        return DOCKER_HUB, path if "/" in path else f"library/{path}"
    if not _looks_like_registry(registry):
        return DOCKER_HUB, f"{registry}/{path}"
    if registry_name(registry) == DOCKER_HUB:
        return DOCKER_HUB, path if "/" in path else f"library/{path}"
    return registry, path


def _looks_like_registry(part: str) -> bool:
    return part == "localhost" or any(mark in part for mark in ".:[") or part != part.lower()


def _why_invalid(text: str) -> str:
    shown = repr(text[:100])
    if not text:
        return "an empty image reference"
    if text != text.strip() or any(c.isspace() for c in text):
        return f"an image reference has no spaces: {shown}"
    if "://" in text:
        return f"an image reference has no scheme such as docker://: {shown}"
    if text.partition("@")[0].partition(":")[0] != text.partition("@")[0].partition(":")[0].lower():
        return f"a repository is written in lower case: {shown}"
    return f"not an image reference: {shown}"
