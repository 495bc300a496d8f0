"""RF107: a small base for the final stage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.dockerfile import bases
from bot.audit.dockerfile.view import Dockerfile
from bot.audit.found import found
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF107",
    name="Stand on a small base",
    severity=RuleSeverity.WARNING,
    section="4. Minimal Base Images",
    what="The final stage stands on a toolchain or on the full variant of an image that has a small one.",
    why="Everything in the base is pulled, scanned, patched and open to attack, needed or not.",
    fix="Take the -slim or -alpine variant, a runtime image, or distroless.",
    bad='FROM node:20\nCOPY dist ./dist\nCMD ["node", "dist/index.js"]',
    good='FROM node:20-slim\nCOPY dist ./dist\nCMD ["node", "dist/index.js"]',
)


def check(dockerfile: Dockerfile) -> Iterator[Finding]:
    """The image that the final stage stands on, where a smaller one is known."""
    root = dockerfile.root(dockerfile.final)
    smaller = bases.smaller(root.use)
    if smaller is None or root.use.reference is None:
        return
    name = str(root.use.reference.with_digest(None))
    weighs = f"weighs {smaller.now}" if smaller.now else "is large for a final stage"
    instead = f"{smaller.then} would do" if smaller.then else "a smaller one would do"
    yield found(
        RULE,
        dockerfile.file,
        root.line,
        f"{name} {weighs}; {instead}",
        fix=f"Stand on {smaller.alternative}{smaller.source}.",
        context=root.use.text,
        saves=smaller.saves,
    )
