"""Starting an image in a closed room and asking, by its own health command, how it does."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import docker
import docker.errors
from docker.models.containers import Container
from docker.types import LogConfig

from bot import process
from bot.builder.client import BuilderSettings, data_folder
from bot.builder.companions import must_run, room_of
from bot.builder.failures import MAKE_ROOM
from bot.builder.images import borrow
from bot.builder.watch import Watch
from bot.errors import EngineError, ProcessFailed
from bot.model.evidence import Health, HealthState
from bot.model.reference import Reference
from bot.model.target import HealthPlan

PROBE_EVERY: Final = 0.5
SETTLE_SECONDS: Final = 3.0
_PROBE_SECONDS: Final = 30.0
_LOG_LINES: Final = 50
_LOG_BYTES: Final = 8000
_PROBE_OUTPUT: Final = 1024**2
_LATE: Final = "no answer within"
# What engines say (lower case); Docker 20.10 wrote some of it with a capital.
_NOT_STARTABLE: Final = (
    "no command specified",
    "oci runtime",
    "failed to create shim",
    "no matching entries in",
)
# What an entry point that starts as root uses to become somebody else; nothing that reaches outside.
_ROOT_NEEDS: Final = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "NET_BIND_SERVICE", "SETGID", "SETUID")


@dataclass(frozen=True, slots=True)
class Probe:
    """The command that tells whether a container is healthy.

    Attributes:
        argv: What is run inside the container; empty where there is no such command.
        seconds: Time limit of one run.
    """

    argv: tuple[str, ...]
    seconds: float = _PROBE_SECONDS


def probe_of(config: Mapping[str, Any], plan: HealthPlan) -> Probe:
    """The plan's command, else the image's HEALTHCHECK (`Config.Healthcheck` of its config)."""
    if plan.command:
        return Probe(plan.command)
    check = config.get("Healthcheck") or {}
    test = [str(word) for word in check.get("Test") or ()]
    seconds = (check.get("Timeout") or 0) / 1e9 or _PROBE_SECONDS
    match test:
        case ["CMD", *argv]:
            return Probe(tuple(argv), seconds)
        case ["CMD-SHELL", command]:
            return Probe((*(config.get("Shell") or ("/bin/sh", "-c")), command), seconds)
        case _:
            return Probe(())


def start_and_probe(  # noqa: PLR0913 - the engine's two ways in, and the port's own values
    client: docker.DockerClient,
    command: Path,
    settings: BuilderSettings,
    image: str,
    plan: HealthPlan,
    *,
    name: str,
) -> Health:
    """Start `image`, probe it every half second, and remove all that was started."""
    config = client.images.get(image).attrs.get("Config") or {}
    probe, room = probe_of(config, plan), Watch(None, settings.min_free, data_folder(settings))
    with ExitStack() as stack:
        companions = stack.enter_context(_companions(client, settings, plan, name))
        limits = _limits(settings, plan, room_of(companions), root=_is_root(config)) | _read_only(plan)
        try:
            container = stack.enter_context(_container(client, image, name, limits))
            started = time.monotonic()
            container.start()
        except docker.errors.APIError as error:
            must_run(companions)
            return _not_startable(error)
        exec_argv = [str(command), "exec", container.id or name, *probe.argv]
        watch = _Watch(container, exec_argv, settings.environment(), probe, plan.seconds, room)
        return watch.until_settled(started)


def _not_startable(error: docker.errors.APIError) -> Health:
    """An image whose command cannot be run has ended before it began; other errors are the engine's."""
    text = str(error.explanation or error)
    if not any(mark in text.lower() for mark in _NOT_STARTABLE):
        raise error
    return Health(HealthState.EXITED, 0.0, f"it cannot be started: {text}"[:1000])


@dataclass(frozen=True, slots=True)
class _Watch:
    """A started container, and how it is probed."""

    container: Container
    exec_argv: Sequence[str]
    env: Mapping[str, str]
    probe: Probe
    seconds: float
    room: Watch

    def until_settled(self, started: float) -> Health:
        """Probe until the container is healthy, has ended, or time is up.

        Raises:
            EngineError: It, or whatever else, fills the engine's disk.
        """
        limit = self.seconds if self.probe.argv else min(SETTLE_SECONDS, self.seconds)
        said = ""
        while True:
            round_began = time.monotonic()
            elapsed = round_began - started
            if trouble := self.room.trouble():
                raise EngineError(trouble, hint=MAKE_ROOM)
            ended = self._ended()
            if ended:
                return Health(HealthState.EXITED, elapsed, self._log(ended))
            if elapsed >= limit:
                return self._gave_up(elapsed, said)
            if self.probe.argv:
                healthy, heard = self._ask(min(self.probe.seconds, max(limit - elapsed, PROBE_EVERY)))
                # The last probe may have been cut short by our own limit: what was said before tells more.
                said = said if said and heard.startswith(_LATE) else heard
                if healthy:
                    return Health(HealthState.HEALTHY, time.monotonic() - started)
            time.sleep(max(0.0, PROBE_EVERY - (time.monotonic() - round_began)))

    def _gave_up(self, elapsed: float, said: str) -> Health:
        if not self.probe.argv:
            return Health(HealthState.STARTED, elapsed)
        reason = f"not healthy within {self.seconds:g} s; the last probe said: {said or 'nothing'}"
        return Health(HealthState.UNHEALTHY, elapsed, self._log(reason))

    def _ask(self, seconds: float) -> tuple[bool, str]:
        try:
            answer = process.run(
                self.exec_argv,
                timeout=seconds,
                env=self.env,
                check=False,
                limit=_PROBE_OUTPUT,
                until=self.room.trouble,
            )
        except ProcessFailed as error:
            late = "did not end" in error.message
            return False, f"{_LATE} {seconds:.1f} s" if late else error.message
        return answer.code == 0, f"exit code {answer.code} {answer.tail[-400:]}".strip()

    def _ended(self) -> str:
        """How the container ended, in words; empty while it runs."""
        self.container.reload()
        state = self.container.attrs.get("State") or {}
        if state.get("Running") or state.get("Status") == "created":
            return ""
        killed = " (it used more memory than its limit)" if state.get("OOMKilled") else ""
        return f"ended with exit code {state.get('ExitCode')}{killed} {state.get('Error') or ''}".strip()

    def _log(self, reason: str) -> str:
        log: bytes = self.container.logs(tail=_LOG_LINES)
        return f"{reason}\n{log[-_LOG_BYTES:].decode(errors='replace')}".strip()


@contextmanager
def _container(
    client: docker.DockerClient, image: str, name: str, options: Mapping[str, Any]
) -> Iterator[Container]:
    container = client.containers.create(image, name=name, **options)
    try:
        yield container
    finally:
        container.remove(force=True, v=True)


@contextmanager
def _companions(
    client: docker.DockerClient, settings: BuilderSettings, plan: HealthPlan, name: str
) -> Iterator[Sequence[Container]]:
    """Start the plan's companions; the target is to share the network of the first.

    All share one network with nothing in it but the loopback device, so no rule of a firewall
    has to hold anything back (an engine's internal networks still reach their host). Each
    companion answers to the last part of its repository (`postgres`), on 127.0.0.1, and has
    the same environment as the target.
    """
    with ExitStack() as stack:
        started: list[Container] = []
        for number, image in enumerate(plan.companions):
            borrow(client, image)
            options = _limits(settings, plan, room_of(started), root=True)
            if number == 0:
                options["extra_hosts"] = {_alias(one): "127.0.0.1" for one in plan.companions}
            companion = stack.enter_context(_container(client, image, f"{name}-with-{number}", options))
            try:
                companion.start()
            except docker.errors.APIError:
                must_run(started)
                raise
            started.append(companion)
        yield started


def _alias(image: str) -> str:
    return Reference.parse(image).repository.rpartition("/")[2]


def _limits(settings: BuilderSettings, plan: HealthPlan, mode: str, *, root: bool) -> dict[str, Any]:
    return {
        "network_mode": mode,
        "environment": dict(plan.env),
        "cap_drop": ["ALL"],
        "cap_add": list(_ROOT_NEEDS) if root else [],
        "security_opt": ["no-new-privileges:true"],
        "mem_limit": plan.memory,
        "memswap_limit": plan.memory,
        "pids_limit": settings.processes,
        "nano_cpus": int(settings.cpus * 1e9),
        "healthcheck": {"test": ["NONE"]},  # we probe; the engine's own probes would only disturb
        "log_config": LogConfig(type="json-file", config={"max-size": "4m"}),
        "detach": True,
    }


def _read_only(plan: HealthPlan) -> dict[str, Any]:
    return {"read_only": True, "tmpfs": {"/tmp": "", "/run": ""}} if plan.read_only else {}  # noqa: S108 - inside


def _is_root(config: Mapping[str, Any]) -> bool:
    return str(config.get("User") or "").partition(":")[0] in ("", "0", "root")
