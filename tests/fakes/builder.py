"""A builder without an engine: reads a Dockerfile's text and does what its plain lines say."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from bot.errors import BuildFailed, EngineError, EngineMissing
from bot.model.evidence import Build, BuildNetwork, Health, HealthState, Layer, Step
from bot.model.target import HealthPlan
from bot.ports import BuildRequest

_EXIT: Final = re.compile(r"exit (\d+)")
_BASE_SIZE: Final = 80_000_000
_LAYER_SIZE: Final = 3_072


@dataclass
class FakeBuilder:
    """Understands FROM, RUN (`exit N` fails), HEALTHCHECK CMD (`true` is healthy) and CMD (`exit N` ends).

    Attributes:
        sizes: Reference of a base image → its unpacked bytes.
        missing: True acts as a machine without an engine.
        network: What its builds could reach.
        lost_caches: What its builds could not have of their caches.
        built: Every request, in order.
        started: Name of every container, in order.
        removed: Every prefix that was removed.
    """

    sizes: Mapping[str, int] = field(default_factory=dict)
    missing: bool = False
    network: BuildNetwork | None = None
    lost_caches: tuple[tuple[str, str], ...] = ()
    built: list[BuildRequest] = field(default_factory=list)
    started: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    _images: dict[str, tuple[str, str]] = field(default_factory=dict)
    _measured: dict[str, Build] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def available(self) -> str:
        if self.missing:
            raise EngineMissing("there is no container engine: this fake was told so")
        return "docker 0.0, fake"

    def build(self, request: BuildRequest) -> Build:
        self.available()
        with self._lock:
            self.built.append(request)
        lines = [line.strip() for line in request.dockerfile.read_text().splitlines() if line.strip()]
        runs = [line for line in lines if line.startswith("RUN ")]
        for run in runs:
            _fail(run)
        image = _digest("\n".join(lines), str(request.args))
        layers = (_base_layer(lines, self.sizes), *(_layer(run) for run in runs))
        steps = tuple(Step(run, 0.1, cached=False) for run in runs)
        size = sum(layer.size for layer in layers)
        build = Build(image, 0.1 * len(runs), steps, size, layers)
        build = replace(build, network=self.network, lost_caches=self.lost_caches)
        with self._lock:
            self._images[request.name] = (image, "\n".join(lines))
            self._measured[request.name] = self._measured[image] = build
        return build

    def measure(self, image: str) -> Build:
        if image not in self._measured:
            raise EngineError(f"the engine could not save {image}: no such image")
        return replace(self._measured[image], seconds=0.0, steps=())

    def save(self, image: str, file: Path) -> None:
        layers = self.measure(image).layers
        names = [f"{number}/layer.tar" for number in range(len(layers))]
        config = {"config": {}, "rootfs": {"diff_ids": [layer.diff_id for layer in layers]}}
        described = [{"Config": "config.json", "Layers": names}]
        empty = b"\0" * 10_240
        files = {"manifest.json": json.dumps(described).encode(), "config.json": json.dumps(config).encode()}
        with tarfile.open(file, "w") as tar:
            for name, data in (files | dict.fromkeys(names, empty)).items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))

    def health(self, image: str, plan: HealthPlan, *, name: str) -> Health:
        text = next((text for made, text in self._images.values() if made == image), None)
        if text is None:
            raise EngineError(f"the engine could not start {name}: no such image {image}")
        with self._lock:
            self.started.append(name)
        return _health(text, plan)

    def close(self) -> None:
        """It pulls nothing."""

    def remove(self, prefix: str) -> None:
        if not prefix:
            raise EngineError("an empty prefix would remove every image")
        with self._lock:
            self.removed.append(prefix)
            for made in (self._images, self._measured):
                for name in [name for name in made if name.startswith(prefix)]:
                    del made[name]


def _fail(run: str) -> None:
    found = _EXIT.search(run)
    if found and found[1] != "0":
        said = re.search(r"echo ([\w ]+)", run)
        message = f"[2/2] {run} failed with exit code {found[1]}"
        raise BuildFailed(message, log=said[1].strip() if said else "", hint="Build it by hand.")


def _base_layer(lines: list[str], sizes: Mapping[str, int]) -> Layer:
    base = next(line for line in lines if line.startswith("FROM ")).split()[1]
    return Layer(_digest(base), sizes.get(base, _BASE_SIZE), "")


def _layer(run: str) -> Layer:
    return Layer(_digest(run), _LAYER_SIZE, run)


def _health(text: str, plan: HealthPlan) -> Health:
    command = next((line for line in text.splitlines() if line.startswith("CMD ")), "CMD")
    ended = _EXIT.search(command)
    if ended:
        return Health(HealthState.EXITED, 0.2, f"ended with exit code {ended[1]}")
    check = json.dumps(plan.command) if plan.command else _healthcheck(text)
    if not check:
        return Health(HealthState.STARTED, 3.0)
    if "true" in check:
        return Health(HealthState.HEALTHY, 0.3)
    return Health(HealthState.UNHEALTHY, plan.seconds, f"not healthy within {plan.seconds:g} s")


def _healthcheck(text: str) -> str:
    return next((line for line in text.splitlines() if line.startswith("HEALTHCHECK ")), "")


def _digest(*parts: str) -> str:
    return "sha256:" + hashlib.sha256("\0".join(parts).encode()).hexdigest()
