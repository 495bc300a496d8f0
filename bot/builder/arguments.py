"""The command line of a build. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.builder.client import Command
from bot.ports import BuildRequest


def build_arguments(
    command: Command, request: BuildRequest, secrets: Mapping[str, Path] | None = None
) -> list[str]:
    """The arguments of `docker build`; no layer cache below a fresh stage, cache mounts of its own.

    Args:
        command: What builds.
        request: What is built.
        secrets: Files of the secrets that the build may mount, by id.
    """
    arguments = [*command.build, "--tag", request.name]
    arguments += ["--file", str(request.dockerfile), "--network", "default", *_no_cache(command, request)]
    arguments += [word for key, value in request.args for word in ("--build-arg", f"{key}={value}")]
    arguments += ["--build-arg", f"BUILDKIT_CACHE_MOUNT_NS={request.name}"]
    for name, file in (secrets or {}).items():
        arguments += ["--secret", f"id={name},src={file}"]
    if request.stage is not None:
        arguments += ["--target", request.stage]
    if request.platform is not None:
        arguments += ["--platform", str(request.platform)]
    return [*arguments, "--", str(request.context)]


def _no_cache(command: Command, request: BuildRequest) -> list[str]:
    """Run the fresh stages without cache; all stages where the command cannot choose, or one has no name."""
    named = request.fresh_stages and not any(stage.isdigit() for stage in request.fresh_stages)
    if command.buildx and named:
        sources = [word for image in request.cache_from for word in ("--cache-from", image)]
        return ["--no-cache-filter", ",".join(request.fresh_stages), *sources]
    return ["--no-cache"]
