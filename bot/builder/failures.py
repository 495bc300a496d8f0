"""Why a build ended without an image: the Dockerfile's fault, or the engine's. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.builder.problems import hint_for
from bot.builder.progress import Progress
from bot.builder.watch import Watch
from bot.errors import BuildFailed, EngineError, ProcessFailed
from bot.ports import BuildRequest

# The engine's own trouble, as against a Dockerfile that does not build.
_FULL: Final = "no space left on device"
_ENGINE: Final = ("cannot connect to the docker daemon", "rpc error")
MAKE_ROOM: Final = "Free space there (docker system df shows what takes it), or lower builder.min_free."
# A registry that could not be asked, as against one that has no such image.
_REGISTRY: Final = (
    "connection refused",
    "no such host",
    "i/o timeout",
    "tls handshake",
    "x509:",
    "toomanyrequests",
    "deadline exceeded",
    "status: 5",
    "eof",
)
_PLACES: Final = 3


def failure(progress: Progress, request: BuildRequest, tail: str) -> EngineError:
    """The error for a build that ended with another exit code than 0.

    A registry or engine that cannot be reached, or a disk that is full, says nothing about the Dockerfile, so
    it is an `EngineError`; everything else is a `BuildFailed`. A full disk is known by what the step wrote:
    the command it ran ends with an exit code like any other.

    Args:
        progress: What the build did.
        request: What was asked for.
        tail: The last part of what the docker command wrote.
    """
    error = progress.error or tail.rpartition("\n")[2] or "the docker command gave no reason"
    if said := next((line for line in (error, *progress.log.splitlines()) if _FULL in line.lower()), ""):
        at = f" at {progress.failed}" if progress.failed else ""
        return EngineError(f"the engine's disk is full{at}: {said[:300]}", hint=MAKE_ROOM)
    if any(mark in error.lower() for mark in _ENGINE):
        return EngineError(f"the engine could not build: {error[:400]}", hint=hint_for(error))
    if progress.failed_to_pull:
        return _no_base(progress, error)
    if progress.exit_code is not None:
        message = f"{progress.failed} failed with exit code {progress.exit_code}"
    else:
        message = (
            f"{progress.failed} failed: " if progress.failed else "the Dockerfile does not build: "
        ) + error
    by_hand = f"docker build --no-cache --file {request.dockerfile.name} ."
    return BuildFailed(message[:600], log=progress.log or error, hint=f"Build it by hand: {by_hand}")


def _no_base(progress: Progress, error: str) -> EngineError:
    image = progress.failed.split()[-1].removeprefix("docker-image://")
    if any(mark in error.lower() for mark in _REGISTRY):
        hint = hint_for(
            error, "Check the network between the engine and the registry; the next run tries again."
        )
        return EngineError(f"the engine could not get {image}: {error[:400]}", hint=hint)
    hint = "The image was removed, never existed, or needs a login: check its name."
    return BuildFailed(f"no registry has {image}: {error}"[:600], log=error, hint=hint)


def kept_away(error: BuildFailed, places: Sequence[str]) -> BuildFailed:
    """The same failure, with what builds were kept from meanwhile: that may well be why.

    Args:
        error: The failure.
        places: Each an `address:port`.
    """
    if not places:
        return error
    shown = ", ".join([*places[:_PLACES], *(["…"] if len(places) > _PLACES else [])])
    message = f"{error.message}; meanwhile builder.closed_network kept builds from {shown}"
    hint = f"If builds may reach that, name its address in builder.reachable. {error.hint}"
    return BuildFailed(f"{message} (see builder.reachable)", log=error.log, hint=hint)


def unfinished(error: ProcessFailed, progress: Progress, request: BuildRequest, watch: Watch) -> EngineError:
    """The error for a build that was ended: out of time, memory, room on the disk, or too much output.

    A full disk is the engine's trouble, all else the Dockerfile's.
    """
    at = f" at {progress.running}" if progress.running else ""
    reason = watch.reason or error.message[:300]
    if watch.disk_full:
        return EngineError(f"the build was ended{at}: {reason}", hint=MAKE_ROOM)
    if watch.memory_exceeded:
        hint = "Raise builder.memory, or let the step do less at a time."
        message = f"the build was ended{at}: {reason}"
        return BuildFailed(message, log=progress.log, hint=hint, limit="memory")
    if "did not end" in error.message:
        message = f"the build did not end within {request.seconds:g} s (builder.seconds){at}"
        hint = "Raise builder.seconds, or find what hangs."
        return BuildFailed(message, log=progress.log, hint=hint, limit="seconds")
    message = f"the build stopped{at}: {reason}"
    return BuildFailed(message, log=progress.log, hint="Let it write less.", limit="output")
