"""Headers of tars, as they come from images of others."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Final

from bot.errors import EngineError

_LONGEST: Final = 1024**2
_MORE: Final = frozenset(
    (
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
    )
)


class _Capped:
    """What a header goes on with behind itself; no longer than any name."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._left = file, _LONGEST

    def read(self, size: int) -> bytes:
        self._left -= size
        if self._left < 0:
            raise EngineError(f"a file in it has more than {_LONGEST:,} bytes of holes listed: not read")
        return self._file.read(size)

    def tell(self) -> int:
        return self._file.tell()


@contextmanager
def _capped(archive: tarfile.TarFile) -> Iterator[None]:
    whole: Any = archive.fileobj
    archive.fileobj = _Capped(whole)  # type: ignore[assignment]  # all that these two ask of a file
    try:
        yield
    finally:
        archive.fileobj = whole


class Header(tarfile.TarInfo):
    """A header whose long names, attributes and holes are bounded: the library holds them in memory whole."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Header:
        """Read one block.

        Raises:
            EngineError: What follows it is longer than any name or attribute.
        """
        header = super().frombuf(buf, encoding, errors)
        if header.type in _MORE and header.size > _LONGEST:
            raise EngineError(f"a file in it has {header.size:,} bytes of names and attributes: not read")
        return header

    def _proc_sparse(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        """The holes of a file as GNU tar lists them in blocks behind the header."""
        with _capped(archive):
            found: tarfile.TarInfo = super()._proc_sparse(archive)  # type: ignore[misc]  # the library's own
            return found

    def _proc_gnusparse_10(
        self, member: tarfile.TarInfo, attributes: dict[str, str], archive: tarfile.TarFile
    ) -> None:
        """The same as text before the file's bytes, as GNU tar does in POSIX archives."""
        with _capped(archive):
            super()._proc_gnusparse_10(member, attributes, archive)  # type: ignore[misc]  # likewise
