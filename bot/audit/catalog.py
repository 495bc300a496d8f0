"""Every rule of the audit, and what of the guide no rule can check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.audit import dockerfile, image, nginx
from bot.errors import UsageError
from bot.model.finding import AuditRule

RULES: Final[Mapping[str, AuditRule]] = {
    rule.id: rule for rule in (*dockerfile.RULES, *nginx.RULES, *image.RULES)
}

NOT_CHECKABLE: Final[Mapping[str, str]] = {
    "Tree shaking via Vite": "the bundler does it or not; the size report weighs what it leaves",
    "Optimized nginx config": "beyond compression, caching and headers the guide names nothing",
    "Logging configured": "whether the logs of a container are read is not in its files",
    "Build comparison (sizes, build times, layers)": "measured by `refit run`, month by month",
    "Regular updates, monthly and quarterly": "`refit serve` keeps that calendar",
    "Track image pull times, build times, sizes, cache hit rates": "the size report shows their trends",
    "Use BuildKit; parallel builds; layer caching in CI/CD": "how a build is called is not in its files",
    "Regular security scans": "`refit rescan` and every cycle scan with Trivy",
    "Test builds and deployments": "`refit run` builds and starts what it proposes",
}
"""What the guide asks that no file or image can show, and who answers for it."""


def rule(identifier: str) -> AuditRule:
    """The rule with an id.

    Raises:
        UsageError: There is none.
    """
    found = RULES.get(identifier.upper())
    if found is None:
        raise UsageError(
            f"there is no rule {identifier!r}",
            hint=f"`refit audit --explain all` lists them: {min(RULES)} to {max(RULES)}.",
        )
    return found
