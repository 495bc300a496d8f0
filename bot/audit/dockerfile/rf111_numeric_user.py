"""RF111: name the user by number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.dockerfile.running import last_user
from bot.audit.dockerfile.view import Dockerfile
from bot.audit.found import found
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF111",
    name="Name the user by number",
    severity=RuleSeverity.NOTE,
    section="5. Security Enhancements (the guide's `USER appuser`)",
    what="The last USER is a name.",
    why=(
        "An orchestrator cannot tell from a name that it is not root: Kubernetes refuses it with "
        "`runAsNonRoot: true`."
    ),
    fix="Write the number: `USER 10001:10001`; no account is needed for it.",
    bad="RUN useradd -m -u 1000 appuser\nUSER appuser",
    good="USER 10001:10001",
)


def check(dockerfile: Dockerfile) -> Iterator[Finding]:
    """The USER in force, where it is a name that is not root's."""
    step = last_user(dockerfile)
    if step is None or step.unknown or not step.words:
        return
    user = step.words[0].partition(":")[0]
    if user and not user.isdigit() and user != "root" and "$" not in user:
        message = f"USER {user} is a name, which tells an orchestrator nothing about root"
        yield found(RULE, dockerfile.file, step.line, message, context=step.text)
