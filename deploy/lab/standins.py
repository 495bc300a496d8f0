"""Stand-ins for what cannot be had here: the builder images, and nginx on Alpine; their labels say so."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

from bot.errors import ProcessFailed
from bot.process import run
from deploy.lab import alpine
from deploy.lab.bases import RECIPES, Bases
from deploy.lab.docker import Docker
from deploy.lab.errors import LabError
from deploy.lab.images import STAND_IN, Image, Layer, file, layer_of, link, uncompressed

_PATH: Final = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_GZIP_MAGIC: Final = b"\x1f\x8b"
_NPM: Final = "usr/local/lib/node_modules/npm"


@dataclass(frozen=True, slots=True)
class StandIns:
    """Makes the stand-ins on the fresh base.

    Args:
        bases: The bases they stand on, made.
        base: The fresh base's layer.
        cache: Where large layers are kept.
    """

    bases: Bases
    base: Layer
    cache: Path

    def node(self) -> Image:
        """`node:18`: the official Node 18 with npm, repackaged on PyPI, on the fresh base."""
        tar = self.cache / "node.tar"
        if not tar.exists():
            _node_layer(_node_wheel(self.cache), tar)
        return self._builder("Node 18.4 and npm 8 on Debian", [uncompressed(tar)], ["node"])

    def rust(self, docker: Docker | None, base: str) -> Image:
        """`rust:1.90-bookworm`: Debian's own rustc and cargo on the fresh base.

        Args:
            docker: Builds it; without one, the image has no toolchain, and says so.
            base: The fresh base as `name@digest`, pullable by the engine.
        """
        if docker is None:
            note = layer_of({"etc/refit-stand-in": b"No engine was there to install a toolchain with.\n"})
            return self._builder("no toolchain: the lab had no engine", [note], ["bash"])
        tar = self.cache / "rust.tar"
        if not tar.exists():
            _rust_layer(docker, base, tar)
        return self._builder("Debian's rustc-web and cargo-web", [uncompressed(tar)], ["bash"])

    def nginx(self, name: str, version: str) -> Image:
        """`nginx:VERSION-alpine`: a made-up Alpine root, `stale` or `fresh`, with Debian's nginx in it."""
        packages, release = (alpine.FRESH, "3.21.5") if name == "fresh" else (alpine.STALE, "3.21.3")
        packages = {**packages, "nginx": f"{version}-r1"}
        layer = alpine.root(self.bases.extras / "nginx", packages, release)
        config = {
            "Env": [_PATH, f"NGINX_VERSION={version}"],
            "Cmd": ["nginx", "-g", "daemon off;"],
            "ExposedPorts": {"80/tcp": {}},
            "StopSignal": "SIGQUIT",
            "Labels": {STAND_IN: "made-up Alpine root with Debian's nginx and busybox"},
        }
        return Image([layer], self.bases.created(name), config, [f"# refit lab: made-up Alpine {release}"])

    def _builder(self, what: str, layers: list[Layer], command: list[str]) -> Image:
        config = {"Env": [_PATH], "Cmd": command, "Labels": {STAND_IN: what}}
        history = ["# refit lab: base", f"# refit lab: {what}"]
        return Image([self.base, *layers], self.bases.created("fresh"), config, history)


def _node_wheel(cache: Path) -> Path:
    """Fetch the wheel with pip, checked against the hash in the recipe."""
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    argv += ["--only-binary=:all:", "--require-hashes", "--dest", str(cache), "-r", str(RECIPES / "node.txt")]
    try:
        run(argv, timeout=600, env=dict(os.environ))
    except ProcessFailed as error:
        message = f"Fetching Node for the lab failed: {error}."
        raise LabError(message, hint="Check that pip reaches its package index.") from error
    return next(cache.glob("nodejs_bin-*.whl"))


def _node_layer(wheel: Path, target: Path) -> None:
    """Put `node` and npm from the wheel under /usr/local; a wheel keeps no links, so they are made again."""
    partial = target.with_suffix(".partial")
    with zipfile.ZipFile(wheel) as archive, tarfile.open(partial, "w") as tar:
        for name in sorted(archive.namelist()):
            place = _node_place(name)
            if place:
                mode = 0o755 if place.endswith("/bin/node") or "/npm/bin/" in place else 0o644
                info, data = file(place, archive.read(name), mode)
                tar.addfile(info, BytesIO(data))
        for tool in ("npm", "npx"):
            tar.addfile(link(f"usr/local/bin/{tool}", f"/{_NPM}/bin/{tool}-cli.js")[0])
    partial.rename(target)
    wheel.unlink()


def _node_place(name: str) -> str:
    if name == "nodejs/bin/node":
        return "usr/local/bin/node"
    inside = name.removeprefix("nodejs/lib/node_modules/npm/")
    wanted = inside != name and not inside.startswith(("docs/", "man/")) and not name.endswith("/")
    return f"{_NPM}/{inside}" if wanted else ""


def _rust_layer(docker: Docker, base: str, target: Path) -> None:
    """Build the toolchain on the base and keep only the layer that it adds."""
    tag, recipe = "refit-lab/rust", (RECIPES / "rust.Dockerfile").read_bytes()
    saved = target.with_suffix(".saved")
    try:
        docker("build", "-q", "-t", tag, "--build-arg", f"BASE={base}", "-", timeout=1200, stdin=recipe)
        docker("save", "-o", saved, tag, timeout=600)
        docker("image", "rm", tag, timeout=300)
    except ProcessFailed as error:
        message = f"Building the Rust stand-in failed: {error}."
        raise LabError(message, hint="Check that apt-get update works here.") from error
    _last_layer(saved, target)
    saved.unlink()


def _last_layer(saved: Path, target: Path) -> None:
    """Take the topmost layer's tar out of what `docker save` wrote."""
    partial = target.with_suffix(".partial")
    with tarfile.open(saved) as tar:
        listing = tar.extractfile("manifest.json")
        assert listing is not None  # noqa: S101 - every docker archive has one; tells the type checker
        layer = tar.extractfile(json.load(listing)[0]["Layers"][-1])
        assert layer is not None  # noqa: S101 - the listing names files; tells the type checker
        with layer, partial.open("wb") as out:
            packed = layer.read(2) == _GZIP_MAGIC  # engines with containerd's image store save them packed
            layer.seek(0)
            shutil.copyfileobj(gzip.GzipFile(fileobj=layer) if packed else layer, out, 1 << 20)
    partial.rename(target)
