"""RF114: pin images by digest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.dockerfile.view import Dockerfile
from bot.audit.found import found
from bot.model.finding import AuditRule, Finding, RuleSeverity
from bot.model.use import UseKind

RULE: Final = AuditRule(
    id="RF114",
    name="Pin images by digest",
    severity=RuleSeverity.WARNING,
    section="Maintenance: update base images (on purpose, and seen in a diff)",
    what="An image is named by a tag alone.",
    why="A tag is moved by others: two builds of one commit differ, and nobody can say what is running.",
    fix="Write the digest behind the tag; `refit run` does it, and moves it when the image moves.",
    bad="FROM debian:bookworm-slim",
    good="FROM debian:bookworm-slim@sha256:abd67ffcfa541b485a3dff59865ab629aa048a6c613e639d36e7456b0b229241",
)
_KINDS: Final = frozenset({UseKind.FROM, UseKind.COPY_FROM, UseKind.MOUNT_FROM})


def check(dockerfile: Dockerfile) -> Iterator[Finding]:
    """Every image that a stage stands on or copies from, without a digest."""
    seen: set[tuple[int, str]] = set()
    for use in dockerfile.uses:
        if use.reference is None or use.reference.digest or use.kind not in _KINDS:
            continue
        if (use.line, use.text) not in seen:
            seen.add((use.line, use.text))
            moving = "" if use.reference.tag else ", nor even a tag"
            message = f"{use.text} has no digest{moving}"
            yield found(RULE, dockerfile.file, use.line, message, context=use.text)
