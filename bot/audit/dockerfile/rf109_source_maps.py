"""RF109: do not serve source maps."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from bot.audit.dockerfile import bases, installs
from bot.audit.dockerfile.shell import Command
from bot.audit.dockerfile.steps import Step
from bot.audit.dockerfile.view import Dockerfile, Stage
from bot.audit.found import found
from bot.model.finding import AuditRule, Finding, RuleSeverity

RULE: Final = AuditRule(
    id="RF109",
    name="Do not serve source maps",
    severity=RuleSeverity.NOTE,
    section="3. Binary Optimization (remove source maps); DON'T include source maps in production",
    what=(
        "A front end is built and copied into a web server, and nothing removes source maps or switches "
        "them off."
    ),
    why="A source map is often larger than the code, and gives the sources to every visitor.",
    fix="Run `find dist -name '*.map' -delete` after the build, or switch source maps off in the bundler.",
    bad="RUN npm run build\nFROM nginx:1.27-alpine\nCOPY --from=build /app/dist /usr/share/nginx/html",
    good=(
        "RUN npm run build && find dist -name '*.map' -delete\nFROM nginx:1.27-alpine\n"
        "COPY --from=build /app/dist /usr/share/nginx/html"
    ),
)
_WEB_ROOT: Final = re.compile(
    r"/usr/share/(?:nginx/)?html|/var/www|/srv/(?:www|http)|/usr/local/apache2/htdocs"
)
_BUILT: Final = re.compile(r"(?:.*/)?(?:dist|build|out|public|www|_site)(?:/.*)?")
_SWITCHED_ON: Final = re.compile(
    r"source-?map[\"']?\s*[:=]\s*(?:true|[\"'](?:hidden|inline)|[\"']?source-map)", re.IGNORECASE
)
_CONFIG: Final = re.compile(r"(?:.*/)?vite\.config\.[cm]?[jt]s")


def check(dockerfile: Dockerfile) -> Iterator[Finding]:
    """The front-end build of each stage whose output a web server takes."""
    if any(_removes(command) for _, command in dockerfile.commands(dockerfile.final)):
        return
    for stage in _sources(dockerfile):
        step = _built(dockerfile, stage)
        if step is not None and not _makes_none(dockerfile):
            message = "the build's source maps, if it makes any, go into the web server's files"
            yield found(RULE, dockerfile.file, step.line, message, context=step.text)


def _sources(dockerfile: Dockerfile) -> Iterator[Stage]:
    """The stages that files for browsers are copied from."""
    served = bases.serves(dockerfile.root(dockerfile.final).use)
    names = {
        name.lower()
        for step in dockerfile.steps(dockerfile.final)
        for name in step.values("from")
        if (step.keyword == "COPY" and _WEB_ROOT.match(step.target))
        or (served and any(map(_BUILT.fullmatch, step.words[:-1])))
    }
    yield from (stage for stage in dockerfile.stages if stage.name in names or str(stage.index) in names)


def _built(dockerfile: Dockerfile, stage: Stage) -> Step | None:
    """The last step that bundles, where nothing before or after it does away with maps."""
    step: Step | None = None
    for one, command in dockerfile.commands(stage):
        if _removes(command):
            return None
        if installs.bundles(command):
            switched_off = _is_off(command)
            step = None if switched_off else one
    return step


def _removes(command: Command) -> bool:
    if command.name not in {"find", "rm", "rimraf"}:
        return False
    return any(word.endswith(".map") for word in command.arguments)


def _is_off(command: Command) -> bool:
    if command.env.get("GENERATE_SOURCEMAP", "").lower() == "false":
        return True
    flags = {
        "--sourcemap=false",
        "--no-sourcemap",
        "--source-map=false",
        "--no-source-map",
        "--no-source-maps",
    }
    return not flags.isdisjoint(command.arguments)


def _makes_none(dockerfile: Dockerfile) -> bool:
    """True where the project is built with Vite, which makes no maps unless its configuration says so."""
    configs = dockerfile.context.named(_CONFIG)
    if not configs or any(_SWITCHED_ON.search(text) for text in configs):
        return False
    return "vite build" in _script(dockerfile.context.text("package.json"))


def _script(manifest: str) -> str:
    try:
        scripts = json.loads(manifest).get("scripts", {})
    except (ValueError, AttributeError, RecursionError):
        return ""
    return str(scripts.get("build", "")) if isinstance(scripts, dict) else ""
