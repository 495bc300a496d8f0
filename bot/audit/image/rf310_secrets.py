"""RF310: no secrets in the image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.found import found
from bot.audit.image.contents import Image
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF310",
    name="Ship no secrets",
    severity=RuleSeverity.ERROR,
    section="Security Checklist: no secrets in images",
    what="A scanner found a secret in the files or the config of the image.",
    why="Whoever can pull the image has it.",
    fix="Take it out of the image and make it anew: what was shipped once is known.",
    bad="COPY .env /app/",
    good="RUN --mount=type=secret,id=npm_token npm ci",
)


def check(image: Image) -> Iterator[Finding]:
    """Each secret; where it is, and never what it is."""
    for secret in image.secrets or ():
        place = f"/{secret.path.lstrip('/')}, line {secret.line}" if secret.path else "the image's config"
        message = f"{secret.title or secret.rule} in {place}"
        yield found(RULE, image.name, 0, message, context=f"{secret.rule} {secret.path}")
