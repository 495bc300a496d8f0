"""The one way to build: BuildKit lets a Dockerfile name the program that reads it, and that is held here."""

from __future__ import annotations

from bot.cycle.parts import Parts
from bot.dockerfile.frontend import foreign_frontend
from bot.errors import EngineError, EngineMissing
from bot.model.evidence import Build
from bot.ports import BuildRequest


def build(parts: Parts, request: BuildRequest) -> Build:
    """Build an image and measure it, if the file that BuildKit would read names no foreign frontend.

    Raises:
        BuildFailed: It does not build.
        EngineError: There is no engine, it failed, or the Dockerfile's `# syntax=` is not allowed.
    """
    if parts.builder is None:
        raise EngineMissing(f"there is nothing to build with: {parts.no_builder}")
    if foreign := foreign_frontend(request.dockerfile.read_bytes(), parts.policy.frontends):
        message = f"{request.dockerfile.name} is not built: its `# syntax=` names {foreign}"
        raise EngineError(message, hint="If that image may run here, name it in builder.frontends.")
    return parts.builder.build(request)
