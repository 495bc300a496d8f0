"""RF117: keep what is not needed out of the build context."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.audit.dockerfile import installs
from bot.audit.dockerfile.copies import copies_everything
from bot.audit.dockerfile.dockerignore import Ignore
from bot.audit.dockerfile.view import Dockerfile
from bot.audit.found import found
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF117",
    name="Keep what is not needed out of the build context",
    severity=RuleSeverity.WARNING,
    section="Troubleshooting, Large Image Size: unnecessary files copied",
    what=(
        "The whole context is copied, and no .dockerignore leaves out history, dependencies or local secrets."
    ),
    why=(
        "`.git`, `node_modules` and `.env` end up in the image, and every local change spoils the build "
        "cache."
    ),
    fix="Add a .dockerignore; one that begins with `*` and lets in by `!src` cannot forget anything.",
    bad="COPY . .",
    good="# .dockerignore\n*\n!src\n!package*.json",
)


def check(dockerfile: Dockerfile) -> Iterator[Finding]:
    """The first copy of everything that is shipped, where the ignore file is missing or lets too much in."""
    ignore = Ignore.of(dockerfile.context, dockerfile.file)
    reported: set[int] = set()
    for stage in dockerfile.shipped():
        for step in dockerfile.chain(stage)[-1].steps:
            if not copies_everything(step) or step.line in reported:
                continue
            message = "there is no .dockerignore" if not ignore.file else _lets_in(dockerfile, ignore)
            if message:
                yield found(
                    RULE,
                    dockerfile.file,
                    step.line,
                    f"{message}, and everything is copied",
                    context=step.text,
                )
                return
            reported.add(step.line)


def _lets_in(dockerfile: Dockerfile, ignore: Ignore) -> str:
    wanted = [".git", ".env"]
    if any(
        installs.node(command) for stage in dockerfile.stages for _, command in dockerfile.commands(stage)
    ):
        wanted.append("node_modules")
    there = [path for path in wanted if _is_there(dockerfile, path) and not ignore.leaves_out(path)]
    return f"{ignore.file} lets {' and '.join(there)} in" if there else ""


def _is_there(dockerfile: Dockerfile, path: str) -> bool:
    return any(one == path or one.startswith(f"{path}/") for one in dockerfile.context.paths)
