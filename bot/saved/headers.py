"""Headers of tars, as they come from images of others."""

from __future__ import annotations

import tarfile
from typing import Final

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


class Header(tarfile.TarInfo):
    """A header whose long names and attributes are bounded: the library holds them in memory whole."""

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
