"""What the lab's registry holds: makes what is lacking, pushes it, and remembers the digests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.lab import trivydb
from deploy.lab.bases import Bases
from deploy.lab.docker import Docker
from deploy.lab.images import Image, Layer
from deploy.lab.registry import Registry
from deploy.lab.standins import StandIns

DEBIAN: Final = "library/debian"
NGINX: Final = "library/nginx"
RUST: Final = "library/rust"
NODE: Final = "library/node"
_NGINX_VERSION: Final = "1.27.5"
# Younger branches that still move: beside them 1.27-alpine can be seen to have stopped.
_SIBLINGS: Final[Mapping[str, str]] = {"1.28-alpine": "1.28.0", "1.29-alpine": "1.29.3"}

Digests = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything that is made from one state of the archive.

    Args:
        bases: The Debian trees, in the cache folder of that state.
        registry: Where images go.
        docker: Builds the Rust stand-in; None leaves it without a toolchain.
        say: Takes one line of progress.
    """

    bases: Bases
    registry: Registry
    docker: Docker | None
    say: Callable[[str], None]

    @property
    def trivy_cache(self) -> Path:
        """The value for Trivy's `--cache-dir`."""
        return self.bases.folder / "trivy"

    @property
    def _memory(self) -> Path:
        return self.bases.folder / ("digests.json" if self.docker else "digests-no-engine.json")

    def digests(self) -> Digests | None:
        """`stale` and `fresh` → `library/NAME:TAG` → digest; None when something has to be made first."""
        if not self._memory.exists():
            return None
        found: Digests = json.loads(self._memory.read_text())
        wanted = {
            (name.rpartition(":")[0], digest) for side in found.values() for name, digest in side.items()
        }
        there = all(self.registry.digest(*pair) == pair[1] for pair in wanted)
        return found if there else None

    def make(self) -> Digests:
        """Make, push and remember everything.

        Raises:
            LabError: A part could not be made.
        """
        self.bases.make()
        self.say("Debian bases made, stale and fresh")
        with ThreadPoolExecutor(2) as pool:
            layers = dict(
                zip(("stale", "fresh"), pool.map(self.bases.layer, ("stale", "fresh")), strict=True)
            )
        digests: Digests = {side: self._push_debian(side, layer) for side, layer in layers.items()}
        self.say("Debian bases pushed")
        self._add_stand_ins(digests, layers["fresh"])
        self._memory.write_text(json.dumps(digests, indent=1))
        return digests

    def _push_debian(self, side: str, layer: Layer) -> dict[str, str]:
        image = self.bases.image(side, layer)
        date = self.bases.created(side)
        digest = self.registry.push(DEBIAN, f"bookworm-{date:%Y%m%d}-slim", image)
        return {f"{DEBIAN}:bookworm-slim": digest}

    def _add_stand_ins(self, digests: Digests, base: Layer) -> None:
        stand_ins = StandIns(self.bases, base, self.bases.folder)
        reference = f"{self.registry.address}/{DEBIAN}@{digests['fresh'][f'{DEBIAN}:bookworm-slim']}"
        with ThreadPoolExecutor(2) as pool:
            rust = pool.submit(self._push_rust, stand_ins, reference)
            rest = pool.submit(self._push_small, stand_ins, digests)
            rest.result()
            builder = {f"{RUST}:1.90-bookworm": rust.result()}
        for known in digests.values():
            known.update(builder)

    def _push_rust(self, stand_ins: StandIns, base: str) -> str:
        image = stand_ins.rust(self.docker, base)
        self.say("Rust stand-in built")
        return self._push(RUST, "1.90-bookworm", image)

    def _push_small(self, stand_ins: StandIns, digests: Digests) -> None:
        for side in ("stale", "fresh"):
            image = stand_ins.nginx(side, _NGINX_VERSION)
            digests[side][f"{NGINX}:1.27-alpine"] = self.registry.push(NGINX, f"{side}-in-lab", image)
        for tag, version in _SIBLINGS.items():
            self._push(NGINX, tag, stand_ins.nginx("fresh", version))
        trivydb.write(self.trivy_cache, self.bases.extras / "changelogs", self.bases.archive.date)
        self.say("Trivy database written")
        node = self._push(NODE, "18", stand_ins.node())
        for side in ("stale", "fresh"):
            digests[side][f"{NODE}:18"] = node

    def _push(self, repository: str, tag: str, image: Image) -> str:
        digest = self.registry.push(repository, tag, image)
        self.say(f"{repository.removeprefix('library/')}:{tag} pushed")
        return digest
