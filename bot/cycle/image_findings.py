"""What the last look into a target's image found: `refit audit TARGET` looks, the size report tells."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Final

from pydantic import TypeAdapter

from bot.cycle.inventory import subject_of
from bot.cycle.parts import Parts
from bot.model.finding import Finding
from bot.model.target import Project, Target

_KIND: Final = "image-findings"
_FINDINGS: Final = TypeAdapter(tuple[Finding, ...])


def remember(target: Target, findings: Sequence[Finding], parts: Parts) -> None:
    """Keep what a look found, in place of what the one before did."""
    # Paths in an image are bytes, and `json` writes what is no UTF-8 as an escape.
    document = json.dumps([asdict(one) for one in findings]).encode()
    parts.store.cache(_KIND, subject_of(target), document, parts.clock.now())


def last_known(project: Project, parts: Parts) -> Iterator[Finding]:
    """What is known of the images of a project's targets, each finding with the day of the look."""
    for target in project.targets:
        kept = parts.store.cached(_KIND, subject_of(target))
        if kept is None:
            continue
        document, at = kept
        image = f"{target.name}, image of {at.astimezone(parts.policy.zone):%Y-%m-%d}"
        yield from (replace(one, subject=image) for one in _findings(document))


def _findings(document: bytes) -> Sequence[Finding]:
    try:
        return _FINDINGS.validate_python(json.loads(document))
    except ValueError:  # another version of Refit wrote it: the next look replaces it
        return ()
