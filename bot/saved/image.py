"""The one reader of saved images: config and layers, each layer opened as often as wanted."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Protocol

from bot.errors import EngineError
from bot.model.manifest import Platform
from bot.saved.documents import DOCKER, described
from bot.saved.headers import Header
from bot.saved.layer import Limits
from bot.saved.stream import plain

_LAYOUT: Final = "oci-layout"
_SMALL: Final = 8 * 1024**2
_HINT: Final = "Give what `docker save IMAGE` wrote, or an OCI layout, as a folder or a tar."
# What a layer that is torn makes its readers raise, and beside that, documents of another shape.
_TORN: Final = (OSError, tarfile.TarError, zlib.error, EOFError)
_BROKEN: Final = (*_TORN, ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class SavedLayer:
    """A layer as it is stored.

    Attributes:
        name: In the archive.
        size: Bytes as stored.
        open: Opens it, as stored.
    """

    name: str
    size: int
    open: Callable[[], IO[bytes]]

    def read(self) -> Iterator[bytes]:
        """Its uncompressed bytes, in pieces.

        Raises:
            EngineError: It is compressed in a way that cannot be read.
        """
        with self.open() as file:
            yield from plain(self.name, file)


@dataclass(frozen=True, slots=True)
class SavedImage:
    """The config of an image as its bytes, and its layers from the bottom."""

    config: bytes
    layers: tuple[SavedLayer, ...]


def is_saved_image(path: Path) -> bool:
    """True for what `open_saved` reads."""
    return (path / _LAYOUT).is_file() if path.is_dir() else path.is_file() and tarfile.is_tarfile(path)


@contextmanager
def open_saved(path: Path, platform: Platform) -> Iterator[SavedImage]:
    """Open the image of an archive; what cannot be read meanwhile is an error that names the archive.

    Args:
        path: The tar or folder.
        platform: Which image of an OCI index.

    Raises:
        EngineError: It is no such archive, holds no image for the platform or several, or is broken.
    """
    with ExitStack() as stack:
        with _named(path, _BROKEN):
            files = stack.enter_context(_files(path))
            found = described(files.document, platform)
            image = SavedImage(found.config, tuple(files.layer(name) for name in found.layers))
        with _named(path, _TORN):
            yield image


@contextmanager
def _named(path: Path, broken: tuple[type[Exception], ...]) -> Iterator[None]:
    """Errors that name the archive; a mistake of ours is none of these, and stays one."""
    try:
        yield
    except EngineError as error:
        raise EngineError(f"{path.name}: {error.message}", hint=error.hint) from error
    except broken as error:
        raise EngineError(
            f"{path.name} cannot be read as a saved image: {_said(error)}", hint=_HINT
        ) from error


def for_scanner(path: Path, scratch: Path) -> Path:
    """A path that Trivy reads: an OCI layout in a tar, which it does not, is unpacked into `scratch`.

    Raises:
        EngineError: It cannot be unpacked.
    """
    if path.is_dir():
        return path
    try:
        with tarfile.open(path, tarinfo=Header) as tar:
            names = {name.removeprefix("./") for name in tar.getnames()}
            if _LAYOUT not in names or DOCKER in names:
                return path
            if sum(member.size for member in tar) > Limits().unpacked:
                raise EngineError(f"{path.name} unpacks to more than {Limits().unpacked:,} bytes: not read")
            tar.extractall(scratch / "layout", filter="data")
    except (OSError, tarfile.TarError) as error:
        raise EngineError(f"{path.name} cannot be unpacked: {error}", hint=_HINT) from error
    return scratch / "layout"


def _said(error: Exception) -> str:
    if isinstance(error, KeyError) and error.args:
        return f"it lacks {error.args[0]}"
    return str(error).partition("\n")[0].rstrip(":")


class _Files(Protocol):
    """The files of an archive by name; each raises KeyError where there is none."""

    def document(self, name: str) -> bytes:
        """A small file."""
        ...

    def layer(self, name: str) -> SavedLayer:
        """A large one."""
        ...


@contextmanager
def _files(path: Path) -> Iterator[_Files]:
    if path.is_dir():
        yield _Folder(path)
        return
    with tarfile.open(path, tarinfo=Header) as tar:
        yield _Tar(tar)


class _Folder:
    """The files of a layout in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def document(self, name: str) -> bytes:
        with self._file(name).open("rb") as file:
            return file.read(_SMALL)

    def layer(self, name: str) -> SavedLayer:
        file = self._file(name)
        return SavedLayer(name, file.stat().st_size, lambda: file.open("rb"))

    def _file(self, name: str) -> Path:
        file = self._folder / name
        if not file.is_file() or not file.resolve().is_relative_to(self._folder.resolve()):
            raise KeyError(name)
        return file


class _Tar:
    """The files of a tar; of a layer that occurs twice, Docker stores a link: `../ID/layer.tar`."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._members = {member.name.removeprefix("./"): member for member in tar}

    def document(self, name: str) -> bytes:
        with self._opened(self._member(name)) as file:
            return file.read(_SMALL)

    def layer(self, name: str) -> SavedLayer:
        member = self._member(name)
        return SavedLayer(name, member.size, lambda: self._opened(member))

    def _member(self, name: str) -> tarfile.TarInfo:
        member = self._members[name]
        if member.issym() or member.islnk():
            member = self._members[member.linkname.removeprefix("../")]
        if not member.isreg():
            raise KeyError(name)
        return member

    def _opened(self, member: tarfile.TarInfo) -> IO[bytes]:
        file = self._tar.extractfile(member)
        if file is None:
            raise KeyError(member.name)
        return file
