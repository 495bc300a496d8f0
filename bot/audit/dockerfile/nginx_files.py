"""Which files of the build context become nginx's configuration in the image, and where."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterator
from typing import Final

from bot.audit.dockerfile import bases
from bot.audit.dockerfile.steps import Step
from bot.audit.dockerfile.view import Dockerfile, Stage
from bot.audit.nginx.read import MAX_FILES, PREFIX, File

MAIN: Final = f"{PREFIX}/nginx.conf"
_ROOTS: Final = (
    PREFIX,
    "/usr/local/openresty/nginx/conf",
    "/usr/local/nginx/conf",
    "/opt/bitnami/nginx/conf",
)
_TEMPLATES: Final = f"{PREFIX}/templates/"
_HEREDOC: Final = re.compile(r"<<-?[\"']?(\w+)[\"']?")
_MAX_HOPS: Final = 4
# What the nginx image brings as nginx.conf says no more than this about what is asked.
_IMAGES_OWN: Final = b"http { include /etc/nginx/mime.types; include /etc/nginx/conf.d/*.conf; }"
# What another distribution's package brings is not known: the rules keep silent on what it may set.
_UNKNOWN: Final = (
    b"http { include /etc/nginx/what-the-package-brings; include /etc/nginx/conf.d/*.conf;"
    b" include /etc/nginx/sites-enabled/*; include /etc/nginx/http.d/*.conf; }"
)


def configuration(dockerfile: Dockerfile, prefix: str = "") -> dict[str, File]:
    """The configuration by its paths in the image, main file included; empty where the project has none.

    Args:
        dockerfile: The Dockerfile.
        prefix: The context's folder in the project, which the names of files begin with.
    """
    found = dict(_rebased(_files(dockerfile, dockerfile.final, prefix, 0)))
    if not any(_is_asked(path) for path in found):
        return {}
    if MAIN not in found:
        known = bases.serves(dockerfile.root(dockerfile.final).use)
        found[MAIN] = File(dockerfile.file, _IMAGES_OWN if known else _UNKNOWN)
    return found


def _is_asked(path: str) -> bool:
    return path == MAIN or path.startswith((f"{PREFIX}/conf.d/", f"{PREFIX}/sites-", f"{PREFIX}/http.d/"))


def _rebased(files: dict[str, File]) -> Iterator[tuple[str, File]]:
    """Paths as if nginx kept its configuration in /etc/nginx; templates as what is made of them."""
    for path, file in files.items():
        for root in _ROOTS:
            if path.startswith(f"{root}/"):
                yield _made(f"{PREFIX}/{path[len(root) + 1 :]}"), file


def _made(path: str) -> str:
    """Where the image's start script writes what it makes of a template; any other file is where it is."""
    if path.startswith(_TEMPLATES) and path.endswith(".template"):
        return f"{PREFIX}/conf.d/{path[len(_TEMPLATES) :].removesuffix('.template')}"
    return path


def _files(dockerfile: Dockerfile, stage: Stage, prefix: str, hops: int) -> dict[str, File]:
    found: dict[str, File] = {}
    folder = "/"
    for step in dockerfile.steps(stage):
        if step.keyword == "WORKDIR" and step.words:
            folder = posixpath.join(folder, step.words[0])
        elif step.keyword in {"COPY", "ADD"} and step.words:
            found |= _copied(dockerfile, step, folder, prefix, hops)
        elif step.keyword == "RUN":
            for path in _removed(step):
                found = {name: file for name, file in found.items() if not fnmatch.fnmatchcase(name, path)}
        if len(found) > MAX_FILES:
            break
    return found


def _removed(step: Step) -> Iterator[str]:
    for command in step.commands:
        if command.name == "rm":
            yield from (word for word in command.plain if word.startswith(_ROOTS))


def _copied(dockerfile: Dockerfile, step: Step, folder: str, prefix: str, hops: int) -> dict[str, File]:
    target = posixpath.join(folder, step.target)
    here = posixpath.normpath(target)
    near = any(
        here.startswith(root) or root.startswith(here.rstrip("/") + "/") or here == "/" for root in _ROOTS
    )
    # From a stage the files may come by a detour, so any target counts there.
    if not near and hops == 0:
        return {}
    if step.words[0].startswith("<<"):
        return _written(dockerfile, step, target)
    if step.values("from"):
        return _from_stage(dockerfile, step, target, prefix, hops)
    pairs = _from_context(dockerfile, step, target)
    texts = dockerfile.context.texts
    named = ((path, posixpath.join(prefix, source) if prefix else source, source) for path, source in pairs)
    read = ((path, subject, texts.get(source)) for path, subject, source in named)
    return {path: File(subject, data) for path, subject, data in read if data is not None}


def _from_context(dockerfile: Dockerfile, step: Step, target: str) -> Iterator[tuple[str, str]]:
    """(path in the image, path in the context) of everything a COPY takes, as far as it may be nginx's."""
    several = len(step.copied) > 1 or step.target.endswith("/")
    for source in step.copied:
        below = "" if source == "." else f"{source}/"
        for path in sorted(dockerfile.context.paths):
            if path == source or fnmatch.fnmatchcase(path, source):
                name = posixpath.join(target, path.rpartition("/")[2]) if several or "*" in source else target
                yield posixpath.normpath(name), path
            elif path.startswith(below) and _near(joined := posixpath.join(target, path[len(below) :])):
                yield posixpath.normpath(joined), path


def _near(path: str) -> bool:
    return path.startswith(_ROOTS) or path.endswith((".conf", ".template"))


def _from_stage(dockerfile: Dockerfile, step: Step, target: str, prefix: str, hops: int) -> dict[str, File]:
    stage = dockerfile.named(step.values("from")[0])
    if stage is None or hops >= _MAX_HOPS:
        return {}
    there, found = _files(dockerfile, stage, prefix, hops + 1), dict[str, File]()
    for source in step.words[:-1]:
        wanted = posixpath.normpath(posixpath.join("/", source))
        for path, file in there.items():
            if path == wanted:
                name = (
                    posixpath.join(target, path.rpartition("/")[2]) if step.target.endswith("/") else target
                )
                found[posixpath.normpath(name)] = file
            elif path.startswith(wanted.rstrip("/") + "/"):
                found[posixpath.normpath(posixpath.join(target, path[len(wanted.rstrip("/")) + 1 :]))] = file
    return found


def _written(dockerfile: Dockerfile, step: Step, target: str) -> dict[str, File]:
    """A file that the Dockerfile itself holds: `COPY <<EOF /etc/nginx/conf.d/default.conf`."""
    mark = _HEREDOC.fullmatch(step.words[0])
    if mark is None or len(step.words) != 2:
        return {}
    body = re.split(rf"^\t*{mark[1]}\r?$", step.body, maxsplit=1, flags=re.MULTILINE)[0]
    # Blank lines before it let its lines have the numbers that they have in the Dockerfile.
    return {posixpath.normpath(target): File(dockerfile.file, b"\n" * (step.body_line - 1) + body.encode())}
