"""Two real Debian bases from the machine's archive: as last pressed (stale), with every fix since (fresh)."""

from __future__ import annotations

import hashlib
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from bot.errors import ProcessFailed
from bot.process import run
from deploy.lab.archive import RELEASE, Archive
from deploy.lab.errors import LabError
from deploy.lab.images import STAND_IN, Image, Layer, compress

RECIPES: Final = Path(__file__).parent / "recipes"
# Before the archive's own date: old enough for a minimum age of some days, and the same in every run.
_FRESH_AGE: Final = timedelta(days=14)
_STALE_AGE: Final = timedelta(days=105)
_KEEP_OUT_USRMERGE: Final = (
    'cd "$1/etc/apt" && mkdir -p preferences.d && '
    'printf "Package: usrmerge\\nPin: release *\\nPin-Priority: -1\\n" > preferences.d/no-usrmerge'
)


@dataclass(frozen=True, slots=True)
class Bases:
    """The two trees in the cache.

    Args:
        folder: Has `stale.tar`, `fresh.tar`, and `extras/` (changelogs, and what the Alpine root is made of).
        archive: What they are made from.
    """

    folder: Path
    archive: Archive

    @property
    def extras(self) -> Path:
        """Beside the images: `changelogs/` and `nginx/`."""
        return self.folder / "extras"

    def created(self, name: str) -> datetime:
        """When an image says it was made: some time before the archive's own date, so always the same."""
        age = _FRESH_AGE if name == "fresh" else _STALE_AGE
        return (self.archive.date - age).replace(hour=0, minute=0, second=0, microsecond=0)

    def make(self) -> None:
        """Make what the cache lacks, both at once.

        Raises:
            LabError: mmdebstrap failed; its last words are in the message.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(self._make, ("stale", "fresh")))

    def layer(self, name: str) -> Layer:
        """The image's only layer."""
        return compress(self.folder / f"{name}.tar", self.folder / f"{name}.tar.gz")

    def image(self, name: str, layer: Layer) -> Image:
        """The image with the config that Debian's own has."""
        created = self.created(name)
        config = {
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "Cmd": ["bash"],
            "Labels": {STAND_IN: f"{name} Debian {RELEASE}, made from this machine's own package archive"},
        }
        step = f"# refit lab: mmdebstrap {RELEASE}, {name}, '@{int(created.timestamp())}'"
        return Image([layer], created, config, [step])

    def _make(self, name: str) -> None:
        tar = self.folder / f"{name}.tar"
        if tar.exists():
            return
        # Named after us: the maker of a killed run may still be writing its own.
        partial, extras = tar.with_suffix(f".{os.getpid()}"), self.folder / f"{name}.{os.getpid()}.extras"
        epoch = str(int(self.created(name).timestamp()))
        env = dict(os.environ) | {"SOURCE_DATE_EPOCH": epoch, "OUT": str(extras)}
        try:
            run(self._arguments(name, partial), timeout=1800, env=env, stdin=self._sources(name).encode())
        except ProcessFailed as error:
            message = f"Making the {name} Debian base failed: {error}."
            rights = "chroot mode" in str(error)
            hint = (
                "Run this as root, or install uidmap." if rights else "Check that apt-get update works here."
            )
            raise LabError(message, hint=hint) from error
        if name == "fresh":
            shutil.rmtree(self.extras, ignore_errors=True)
            extras.rename(self.extras)
        partial.rename(tar)

    def _sources(self, name: str) -> str:
        return self.archive.stale if name == "stale" else self.archive.fresh

    def _arguments(self, name: str, target: Path) -> list[str]:
        take = [f'--customize-hook=sh "{RECIPES}/extras.sh" "$1"'] if name == "fresh" else []
        return [
            "mmdebstrap", "--quiet", "--variant=minbase", "--format=tar", "--architectures=amd64",
            "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
            f"--setup-hook={_KEEP_OUT_USRMERGE}",
            *take,
            f'--customize-hook=sh "{RECIPES}/slim.sh" "$1"',
            RELEASE, str(target), "-",
        ]  # fmt: skip


def recipe_hash() -> str:
    """Changes with any file that decides what the lab's images contain."""
    own = sorted(Path(__file__).parent.rglob("*"))
    parts = [path.read_bytes() for path in own if path.suffix in {".sh", ".txt", ".Dockerfile"}]
    names = ("alpine", "bases", "bolt", "contents", "images", "standins", "trivydb")
    makers = [Path(__file__).parent / f"{name}.py" for name in names]
    return hashlib.sha256(b"\0".join(parts + [path.read_bytes() for path in makers])).hexdigest()
