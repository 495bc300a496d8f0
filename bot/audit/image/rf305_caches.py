"""RF305: no package caches."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from bot.audit.found import found
from bot.audit.image.contents import Image
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF305",
    name="Ship no package caches",
    severity=RuleSeverity.WARNING,
    section="Large Image Size: unnecessary files; Next Steps: BuildKit cache mounts",
    what="The image holds lists and downloads of package managers.",
    why="They are never read again, and grow old in every copy.",
    fix="Clean up in the RUN that installs, or mount a cache: `RUN --mount=type=cache,target=…`.",
    bad="RUN apt-get update && apt-get install -y curl",
    good="RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*",
)
_CACHE: Final = re.compile(
    r"var/lib/apt/lists/.+|var/cache/apt/.+\.(?:deb|bin)|var/cache/(?:apk|dnf|yum)/.+|etc/apk/cache/.+"
    r"|(?:root|home/[^/]+)/\.(?:cache/(?:pip|yarn|uv|pypoetry|go-build|node-gyp)|npm/_cacache|npm/_npx|m2/repository"
    r"|gradle/caches|cargo/registry|nuget/packages)/.+"
    r"|usr/local/share/\.cache/.+|usr/local/cargo/registry/.+|go/pkg/mod/cache/.+"
)
_WORTH: Final = 100_000


def check(image: Image) -> Iterator[Finding]:
    """All of them, as one finding, from 100 kB on."""
    files = list(image.files(_CACHE))
    size = sum(one.size for one in files)
    if size >= _WORTH:
        folders = Counter[str]()
        for one in files:
            folders["/".join(one.path.split("/")[:4])] += one.size
        names = ", ".join(f"/{folder}" for folder, _ in folders.most_common(3))
        message = f"{len(files)} cached files of package managers: {names}"
        yield found(RULE, image.name, 0, message, context="caches", saves=size)
